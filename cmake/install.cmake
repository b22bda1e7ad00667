# Installs the headers, the CMake package (find_package(ss)) and the pkg-config file (ss-shm).
#
# Debian has a command ss, an ss.pc, a header /usr/include/ss/ss.h and a directory /usr/share/ss, all of other packages.
# Nothing here may be installed under these names; a test looks.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The package holds headers alone, so it is the same for every architecture.
set(SS_PACKAGE_DIR lib/cmake/ss)
set(SS_PKGCONFIG_DIR ${CMAKE_INSTALL_DATAROOTDIR}/pkgconfig)

install(TARGETS ss EXPORT ssTargets FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT ssTargets NAMESPACE ss:: DESTINATION ${SS_PACKAGE_DIR})

configure_package_config_file(
    ${CMAKE_CURRENT_LIST_DIR}/ssConfig.cmake.in ${PROJECT_BINARY_DIR}/cmake/ssConfig.cmake
    INSTALL_DESTINATION ${SS_PACKAGE_DIR}
    NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/cmake/ssConfigVersion.cmake
    COMPATIBILITY SameMinorVersion
    ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/cmake/ssConfig.cmake ${PROJECT_BINARY_DIR}/cmake/ssConfigVersion.cmake
        DESTINATION ${SS_PACKAGE_DIR})

# Relative to the file itself, so that the installed tree may be moved.
file(RELATIVE_PATH SS_PKGCONFIG_PREFIX /prefix/${SS_PKGCONFIG_DIR} /prefix)
string(REGEX REPLACE "/$" "" SS_PKGCONFIG_PREFIX ${SS_PKGCONFIG_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/ss-shm.pc.in ${PROJECT_BINARY_DIR}/cmake/ss-shm.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cmake/ss-shm.pc DESTINATION ${SS_PKGCONFIG_DIR})
