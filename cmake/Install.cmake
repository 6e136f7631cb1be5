# cmake --install, in four components that become four Debian packages (Packages.cmake):
#   library      libswarm.so.N                                                    libswarm1
#   development  headers, libswarm.a, the link libswarm.so, CMake and pkg-config   libswarm-dev
#   daemon       swarmd with the link swarm, its man page, completions and unit   swarmd
#   python       pyswarm with its man page                                        python3-pyswarm
# The bindings install their own files (bindings/*/CMakeLists.txt) under the same names.
include(CMakePackageConfigHelpers)

set(SWARM_SOVERSION 1)
if(TARGET swarm_c)
  get_target_property(soversion swarm_c SOVERSION)
  if(soversion)
    set(SWARM_SOVERSION ${soversion})
  endif()
endif()

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

# A page of the manual, compressed as Debian wants it, with nothing of the machine in it.
find_program(SWARM_GZIP gzip REQUIRED)
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man ${PROJECT_BINARY_DIR}/completion)
function(swarm_man_page component source)
  get_filename_component(name ${source} NAME)
  string(REGEX REPLACE ".*\\." "" section ${name})
  set(page ${PROJECT_BINARY_DIR}/man/${name})
  configure_file(${source} ${page} @ONLY)
  execute_process(COMMAND ${SWARM_GZIP} -9nkf ${page} COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${component})
endfunction()

install(TARGETS swarm ARCHIVE COMPONENT development
                      FILE_SET HEADERS COMPONENT development)
if(CMAKE_STRIP)
  # cmake --install --strip strips programs and shared libraries alone.
  install(CODE "if(CMAKE_INSTALL_DO_STRIP)
    execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-debug --enable-deterministic-archives
                            \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libswarm.a\"
                    COMMAND_ERROR_IS_FATAL ANY)
  endif()" COMPONENT development)
endif()
install(FILES ${PROJECT_BINARY_DIR}/swarm-config.cmake ${PROJECT_BINARY_DIR}/swarm-config-version.cmake
        DESTINATION ${package_dir} COMPONENT development)
install(FILES ${PROJECT_BINARY_DIR}/swarm.pc DESTINATION ${pc_dir} COMPONENT development)
swarm_man_page(development ${PROJECT_SOURCE_DIR}/docs/man/libswarm.3)
if(TARGET swarm_c)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/libswarm.pc.in ${PROJECT_BINARY_DIR}/libswarm.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/libswarm.pc DESTINATION ${pc_dir} COMPONENT development)
endif()
if(TARGET pyswarm)
  swarm_man_page(python ${PROJECT_SOURCE_DIR}/docs/man/pyswarm.3)
endif()

if(TARGET swarmd)
  install(TARGETS swarmd RUNTIME COMPONENT daemon)
  # The old name, for command lines as they were printed; swarmd tells by it what it was called.
  get_target_property(swarmd_dir swarmd BINARY_DIR)
  file(CREATE_LINK swarmd ${swarmd_dir}/swarm SYMBOLIC)
  install(FILES ${swarmd_dir}/swarm DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT daemon)

  set(packaging ${PROJECT_SOURCE_DIR}/packaging)
  swarm_man_page(daemon ${PROJECT_SOURCE_DIR}/docs/man/swarmd.1)
  file(CREATE_LINK swarmd.1.gz ${PROJECT_BINARY_DIR}/man/swarm.1.gz SYMBOLIC)
  install(FILES ${PROJECT_BINARY_DIR}/man/swarm.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT daemon)
  install(FILES ${packaging}/completion/swarmd.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
          RENAME swarmd COMPONENT daemon)
  file(CREATE_LINK swarmd ${PROJECT_BINARY_DIR}/completion/swarm SYMBOLIC)
  install(FILES ${PROJECT_BINARY_DIR}/completion/swarm DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
          COMPONENT daemon)
  install(FILES ${packaging}/completion/swarmd.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
          RENAME _swarmd COMPONENT daemon)
  install(FILES ${packaging}/completion/swarmd.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
          COMPONENT daemon)
  install(FILES ${packaging}/systemd/swarmd.service DESTINATION lib/systemd/system COMPONENT daemon)
  # Settings belong into /etc for /usr. Who installs again keeps what the machine's owner wrote.
  install(CODE "set(settings \"\${CMAKE_INSTALL_PREFIX}/etc/default\")
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(settings /etc/default)
  endif()
  if(EXISTS \"\$ENV{DESTDIR}\${settings}/swarmd\")
    message(STATUS \"Kept: \$ENV{DESTDIR}\${settings}/swarmd\")
  else()
    file(INSTALL DESTINATION \"\${settings}\" TYPE FILE RENAME swarmd FILES \"${packaging}/default/swarmd\")
  endif()" COMPONENT daemon)
endif()

include(Packages)
