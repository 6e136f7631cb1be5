# cmake --install: swarmd with the link swarm, the static library with its public headers, and what CMake's
# find_package(swarm) and pkg-config need to use it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# What a program must link beside the library: what the rooms link, in the words of CMake and of pkg-config.
get_property(rooms GLOBAL PROPERTY SWARM_ROOMS)
set(package_links "")
foreach(room IN LISTS rooms)
  get_target_property(links swarm_${room}_needs INTERFACE_LINK_LIBRARIES)
  list(FILTER links EXCLUDE REGEX "^swarm_")
  list(APPEND package_links ${links})
endforeach()
list(REMOVE_DUPLICATES package_links)
set(pc_absl ${package_links})
list(FILTER pc_absl INCLUDE REGEX "^absl::")
list(TRANSFORM pc_absl REPLACE "^absl::" "absl_")
list(JOIN pc_absl " " pc_absl)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/swarm)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/swarm-config.cmake.in ${PROJECT_BINARY_DIR}/swarm-config.cmake
                              INSTALL_DESTINATION ${package_dir}
                              PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/swarm-config-version.cmake COMPATIBILITY SameMinorVersion)

# Relative to where the file lies, so that an unpacked or moved installation is found too.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH pc_prefix /prefix/${pc_dir} /prefix)
configure_file(${CMAKE_CURRENT_LIST_DIR}/swarm.pc.in ${PROJECT_BINARY_DIR}/swarm.pc @ONLY)

install(TARGETS swarm ARCHIVE COMPONENT library
                      FILE_SET HEADERS COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/swarm-config.cmake ${PROJECT_BINARY_DIR}/swarm-config-version.cmake
        DESTINATION ${package_dir} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/swarm.pc DESTINATION ${pc_dir} COMPONENT library)

if(TARGET swarmd)
  install(TARGETS swarmd RUNTIME COMPONENT daemon)
  # The old name, for command lines as they were printed; swarmd tells by it what it was called.
  get_target_property(swarmd_dir swarmd BINARY_DIR)
  file(CREATE_LINK swarmd ${swarmd_dir}/swarm SYMBOLIC)
  install(FILES ${swarmd_dir}/swarm DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT daemon)
endif()
