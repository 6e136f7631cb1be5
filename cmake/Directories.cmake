# Where things are installed: GNUInstallDirs, but with Debian's own folder of libraries under every prefix, so that any
# build tree can become Debian packages (scripts/package.sh) without being configured anew. The dynamic linker,
# pkg-config and CMake look there under /usr and /usr/local alike.
if(NOT DEFINED CMAKE_INSTALL_LIBDIR AND EXISTS /etc/debian_version AND CMAKE_LIBRARY_ARCHITECTURE)
  set(CMAKE_INSTALL_LIBDIR lib/${CMAKE_LIBRARY_ARCHITECTURE} CACHE PATH "Libraries, below the prefix")
endif()
include(GNUInstallDirs)
