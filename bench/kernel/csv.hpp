// The document of a run as a table, for spreadsheets: a line for each contestant and measure, which says by itself where
// and of what it is.
#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

namespace bench {

namespace detail {

/// As RFC 4180 has it.
[[nodiscard]] inline std::string csv_line(const std::vector<std::string>& fields) {
    std::string line;
    for (const std::string& field : fields) {
        if (!line.empty()) line += ',';
        if (field.find_first_of(",\"\n") == std::string::npos) {
            line += field;
            continue;
        }
        line += '"';
        for (const char c : field) line += c == '"' ? std::string("\"\"") : std::string(1, c);
        line += '"';
    }
    return line + "\r\n";
}

/// Empty if there is none.
[[nodiscard]] inline std::string csv_field(const nlohmann::json& object, const char* key) {
    if (!object.contains(key)) return {};
    const nlohmann::json& value = object[key];
    return value.is_string() ? value.get<std::string>() : value.dump();
}

} // namespace detail

/// Of what `document` returns (report.hpp).
[[nodiscard]] inline std::string csv(const nlohmann::json& document) {
    std::vector<std::string> head = {"benchmark", "date", "commit", "compiler", "processor", "cores", "kernel"};
    const std::vector<std::string> settings = {"key set", "keys", "key size", "value size", "processes", "rounds"};
    head.insert(head.end(), settings.begin(), settings.end());
    for (const char* const name : {"contestant", "version", "measure", "median", "least", "most", "ratio"})
        head.emplace_back(name);
    std::string text = detail::csv_line(head);
    for (const nlohmann::json& run : document["runs"])
        for (const auto& [name, contestant] : run["contestants"].items())
            for (const auto& [measure, figure] : contestant["measures"].items()) {
                std::vector<std::string> fields;
                for (const char* const key : {"benchmark", "date", "commit", "compiler"})
                    fields.push_back(detail::csv_field(document, key));
                for (const char* const key : {"processor", "cores", "kernel"})
                    fields.push_back(detail::csv_field(document["machine"], key));
                for (const std::string& key : settings)
                    fields.push_back(detail::csv_field(run["settings"], key.c_str()));
                const auto runs = figure["runs"].get<std::vector<double>>();
                const auto [least, most] = std::minmax_element(runs.begin(), runs.end());
                fields.insert(fields.end(), {name, detail::csv_field(contestant, "version"), measure,
                                             detail::csv_field(figure, "median"), nlohmann::json(*least).dump(),
                                             nlohmann::json(*most).dump(), detail::csv_field(figure, "ratio")});
                text += detail::csv_line(fields);
            }
    return text;
}

} // namespace bench
