# CPack: the components of Install.cmake as Debian packages. scripts/package.sh builds them.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME libswarm)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "libswarm developers <libswarm@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                                                WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
set(version "${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
set(CPACK_COMPONENTS_ALL "")

# swarm_package(COMPONENT name section "first line" "further text" DEPENDS package...)
function(swarm_package component name section summary text)
  cmake_parse_arguments(PACKAGE "" "" "DEPENDS" ${ARGN})
  string(TOUPPER ${component} key)
  list(JOIN PACKAGE_DEPENDS ", " depends)
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_DEPENDS "${depends}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_DESCRIPTION "${summary}\n${text}" PARENT_SCOPE)
  set(CPACK_COMPONENTS_ALL ${CPACK_COMPONENTS_ALL} ${component} PARENT_SCOPE)

  # What Debian asks of each package: licence and history.
  set(documents ${PROJECT_BINARY_DIR}/packages/${name})
  configure_file(${debian}/changelog ${documents}/changelog.Debian COPYONLY)
  configure_file(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${documents}/changelog COPYONLY)
  execute_process(COMMAND ${SWARM_GZIP} -9nkf ${documents}/changelog ${documents}/changelog.Debian
                  COMMAND_ERROR_IS_FATAL ANY)
  install(FILES ${debian}/copyright ${documents}/changelog.gz ${documents}/changelog.Debian.gz
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component})
endfunction()

set(about "libswarm places containers on any number of Docker engines and shows\nthem as one. ")
set(library_depends "")
if(TARGET swarm_c)
  swarm_package(library libswarm${SWARM_SOVERSION} libs "one Docker endpoint over many Docker engines (C library)"
                "${about}This is the shared library with the C interface.")
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
  set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
  set(library_depends "libswarm${SWARM_SOVERSION} (= ${version})")
endif()
# What find_package(swarm) and swarm.pc look for.
swarm_package(development libswarm-dev libdevel "one Docker endpoint over many Docker engines (development)"
              "${about}These are the headers for C and C++, the static C++\nlibrary, and what finds them with CMake and pkg-config."
              DEPENDS ${library_depends} libabsl-dev libre2-dev libspdlog-dev "libssl-dev (>= 3)" pkg-config)
if(TARGET swarmd)
  swarm_package(daemon swarmd admin "one Docker endpoint over many Docker engines (daemon)"
                "${about}swarmd serves them to stock Docker clients on one\naddress.")
  set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
endif()
if(TARGET pyswarm)
  # The module fits this Python alone.
  execute_process(COMMAND ${PYSWARM_PYTHON} -c "import sys; print('%d.%d;%d.%d' % (*sys.version_info[:2],
sys.version_info[0], sys.version_info[1] + 1))" OUTPUT_VARIABLE python_range OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  list(GET python_range 0 python_first)
  list(GET python_range 1 python_beyond)
  swarm_package(python python3-pyswarm python "one Docker endpoint over many Docker engines (Python)"
                "${about}pyswarm does so inside a Python program, without a\ndaemon."
                DEPENDS "python3 (>= ${python_first})" "python3 (<< ${python_beyond})")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_SUGGESTS "python3-docker, python3-pytest")
endif()
include(CPack)
