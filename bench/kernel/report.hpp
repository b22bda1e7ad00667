// Medians over rounds, as tables for people (Markdown, so they can go into documents as they are) and as JSON.
#pragma once

#include "machine.hpp"
#include "measure.hpp"
#include "workload.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// All runs of one contestant.
struct Series {
    std::string name;
    std::string what;
    std::string version; ///< empty if there is none to tell
    std::vector<Figures> runs;
};

/// The middle one, or the mean of the two in the middle; not a number if there are none.
[[nodiscard]] inline double median(std::vector<double> values) {
    std::erase_if(values, [](double value) { return std::isnan(value); });
    if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// The figures of all contestants with one set of keys.
class Report {
public:
    /// `baseline` names the contestant that the others are compared with; without it there are no ratios.
    Report(const Settings& settings, std::vector<Series> series, const std::string& baseline)
        : settings_(settings), series_(std::move(series)) {
        const auto found =
            std::find_if(series_.begin(), series_.end(), [&](const Series& one) { return one.name == baseline; });
        if (found != series_.end()) baseline_ = static_cast<std::size_t>(found - series_.begin());
    }

    [[nodiscard]] std::string text(const std::vector<Table>& tables) const {
        const std::string size =
            settings_.key_set == KeySet::bytes ? fmt::format(", {} for each key", settings_.key_size) : "";
        std::string text;
        if (settings_.key_set != KeySet::none) text = fmt::format("Keys: {}{}\n\n", name_of(settings_.key_set), size);
        for (const Table& one : tables) text += table(one);
        return text;
    }

    [[nodiscard]] nlohmann::json json() const {
        nlohmann::json contestants = nlohmann::json::object();
        for (const Series& one : series_) {
            nlohmann::json& entry = contestants[one.name];
            entry["what"] = one.what;
            if (!one.version.empty()) entry["version"] = one.version;
            for (std::size_t i = 0; i < measure_count; ++i) {
                const auto measure = static_cast<Measure>(i);
                const std::vector<double> runs = all(one, measure);
                if (std::isnan(median(runs))) continue;
                nlohmann::json& figure = entry["measures"][name_of(measure, settings_.processes)];
                if (const auto mix = mix_of(measure))
                    figure["mix"] = {{"picks", picks_names.at(static_cast<std::size_t>(mix->picks))},
                                     {"reads", read_shares.at(mix->share)},
                                     {"processes", crews_of(settings_.processes).at(mix->crew)}};
                figure["median"] = median(runs);
                figure["runs"] = runs;
                if (const double ratio = ratio_of(one, measure); !std::isnan(ratio)) figure["ratio"] = ratio;
            }
        }
        nlohmann::json settings = {
            {"key set", name_of(settings_.key_set)},
            {"keys", settings_.keys},
            {"value size", settings_.value_size},
            {"processes", settings_.processes},
            {"rounds", settings_.rounds},
            {"clock", settings_.clock == Clock::wall ? "wall" : "processor, but for several processes"},
        };
        if (settings_.key_set == KeySet::bytes) settings["key size"] = settings_.key_size;
        return {{"settings", std::move(settings)}, {"contestants", std::move(contestants)}};
    }

private:
    [[nodiscard]] static std::vector<double> all(const Series& one, Measure measure) {
        std::vector<double> values;
        for (const Figures& run : one.runs) values.push_back(run[measure]);
        return values;
    }

    /// How many times better than the baseline.
    [[nodiscard]] double ratio_of(const Series& one, Measure measure) const {
        if (!baseline_ || is_share(measure)) return std::numeric_limits<double>::quiet_NaN();
        const double value = median(all(one, measure));
        // Memory that was there already has cost nothing.
        return value == 0 ? std::numeric_limits<double>::quiet_NaN()
                          : median(all(series_[*baseline_], measure)) / value;
    }

    [[nodiscard]] std::string cell(const Series& one, Measure measure) const {
        const double value = median(all(one, measure));
        if (std::isnan(value)) return "-";
        const double ratio = ratio_of(one, measure);
        const std::string text = fmt::format("{:.{}f}", value, value < 10 ? 1 : 0);
        return std::isnan(ratio) ? text : fmt::format("{} ({:.2f})", text, ratio);
    }

    /// The one number: the geometric mean of the ratios, where the baseline has figures.
    [[nodiscard]] std::string mean_cell(const Series& one, const std::vector<Table::Column>& columns) const {
        double sum = 0, count = 0;
        for (const Table::Column& column : columns) {
            if (std::isnan(median(all(series_[*baseline_], column.measure)))) continue;
            sum += std::log(ratio_of(one, column.measure));
            ++count;
        }
        const double mean = std::exp(sum / count);
        return std::isnan(mean) ? "-" : fmt::format("{:.2f}", mean);
    }

    [[nodiscard]] std::string table(const Table& shown) const {
        const auto& [title, columns, with_mean] = shown;
        std::vector<std::vector<std::string>> rows(1);
        rows[0].push_back(title);
        for (const Table::Column& column : columns) rows[0].push_back(column.title);
        if (with_mean && baseline_) rows[0].emplace_back("mean");
        for (const Series& one : series_) {
            std::vector<std::string> row{one.name};
            for (const Table::Column& column : columns) row.push_back(cell(one, column.measure));
            if (with_mean && baseline_) row.push_back(mean_cell(one, columns));
            // Who has none of these figures has no line.
            if (std::any_of(row.begin() + 1, row.end(), [](const std::string& text) { return text != "-"; }))
                rows.push_back(std::move(row));
        }
        if (rows.size() == 1) return {};
        // The title stands above, so that names are not spread as far as it is long.
        std::string text = title;
        const bool with_ratios = std::any_of(columns.begin(), columns.end(),
                                             [](const Table::Column& column) { return !is_share(column.measure); });
        if (baseline_ && with_ratios)
            text += fmt::format(" (in brackets: times as good as {})", series_[*baseline_].name);
        text += "\n\n";
        rows[0][0].clear();
        std::vector<std::size_t> widths(rows[0].size(), 3);
        for (const auto& row : rows)
            for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
        for (std::size_t r = 0; r < rows.size(); ++r) {
            for (std::size_t i = 0; i < rows[r].size(); ++i)
                text += i == 0 ? fmt::format("| {:<{}} |", rows[r][i], widths[i])
                               : fmt::format(" {:>{}} |", rows[r][i], widths[i]);
            text += "\n";
            if (r != 0) continue;
            for (std::size_t i = 0; i < widths.size(); ++i)
                text += i == 0 ? "|" + std::string(widths[i] + 2, '-') + "|" : std::string(widths[i] + 1, '-') + ":|";
            text += "\n";
        }
        return text + "\n";
    }

    Settings settings_;
    std::vector<Series> series_;
    std::optional<std::size_t> baseline_;
};

/// All of one run of a benchmark.
[[nodiscard]] inline nlohmann::json document(const std::string& benchmark, const std::string& baseline,
                                             const std::vector<Report>& reports) {
    nlohmann::json document = {
        {"benchmark", benchmark},
        {"date", utc_now()},
        {"commit", source_commit()},
        {"compiler", compiler()},
        {"machine", describe_machine()},
        {"units",
         "ns per operation, of a full scan per entry; bytes per entry; ratio: the baseline's median by this one"},
        {"baseline", baseline},
        {"runs", nlohmann::json::array()},
    };
    for (const Report& report : reports) document["runs"].push_back(report.json());
    return document;
}

} // namespace bench
