# Checks of the sources and of the installed package, each a ctest with the label "source".

# ss_add_check(<name> <command>...)
function(ss_add_check name)
    add_test(NAME ${name} COMMAND ${ARGN})
    set_tests_properties(${name} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 600 LABELS source
                                            ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endfunction()

set(check_python ${Python3_EXECUTABLE})
set(check_folder ${CMAKE_CURRENT_SOURCE_DIR}/checks)

ss_add_check(check.floors ${check_python} ${check_folder}/floors.py)
ss_add_check(check.sizes ${check_python} ${check_folder}/sizes.py)
ss_add_check(check.format ${check_python} ${check_folder}/format.py)
ss_add_check(check.names ${check_python} ${check_folder}/tidy.py --names)

# Both compilers, whatever this directory is built with. These keep all processors busy by themselves; what takes a minute
# is done by one of the two here, and by the other in ./dev torture.
include(ProcessorCount)
ProcessorCount(processors)
foreach(compiler g++ clang++)
    foreach(check headers negative documents)
        ss_add_check(check.${check}.${compiler} ${check_python} ${check_folder}/${check}.py ${compiler})
    endforeach()
    set_tests_properties(check.headers.${compiler} check.negative.${compiler} PROPERTIES PROCESSORS ${processors})
endforeach()
set_tests_properties(check.headers.g++ check.negative.clang++ PROPERTIES LABELS torture)

# The package, by each way that one can come by it.
set(package ${CMAKE_CURRENT_SOURCE_DIR}/package/check)
foreach(way installed_files find_package add_subdirectory pkg_config)
    ss_add_check(package.${way} ${package} ${way} ${CMAKE_COMMAND} ${PROJECT_BINARY_DIR} ${CMAKE_CXX_COMPILER})
    set_property(TEST package.${way} APPEND PROPERTY ENVIRONMENT CMAKE_GENERATOR=${CMAKE_GENERATOR})
endforeach()
