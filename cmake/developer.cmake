# What our own programs are built with, and what those who link to ss::ss never see.
#
#     ss_warnings           interface target: warnings as errors, and the sanitizers of SS_SANITIZE
#     SS_TEST_TIME_FACTOR   how many times longer than in an ordinary build a test may take

set(SS_SANITIZE "" CACHE STRING "Sanitizers for our own programs: empty, \"address,undefined\" or \"thread\"")

add_library(ss_warnings INTERFACE)
target_compile_options(ss_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
if(SS_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ warns of every fence. Where one matters the headers use something else under this sanitizer. And what it adds
    # to the code makes g++ believe that std::optional reads what is not there.
    target_compile_options(ss_warnings INTERFACE -Wno-tsan -Wno-maybe-uninitialized)
endif()
if(SS_SANITIZE)
    target_compile_options(ss_warnings INTERFACE -fsanitize=${SS_SANITIZE} -fno-sanitize-recover=all
                                                 -fno-omit-frame-pointer)
    target_link_options(ss_warnings INTERFACE -fsanitize=${SS_SANITIZE})
endif()

set(SS_TEST_TIME_FACTOR 1)
if(SS_SANITIZE)
    set(SS_TEST_TIME_FACTOR 4)
endif()
if(SS_SANITIZE STREQUAL "thread")
    set(SS_TEST_TIME_FACTOR 10)
endif()

# -std=c++20, not gnu++20: what the headers promise to need.
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

find_program(SS_CCACHE ccache)
mark_as_advanced(SS_CCACHE)
if(SS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    # The sloppiness is what ccache asks for where there are precompiled headers.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${SS_CCACHE})
endif()
