# Compiler settings of the whole build: warnings, hardening, sanitizers, ccache.

add_compile_options(-Wall -Wextra -Werror -Wno-missing-field-initializers -Wformat=2)
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
                        BOOST_ASIO_NO_DEPRECATED)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Boost and Abseil headers inlined into ours set these off without a fault (g++ 12).
  add_compile_options(-Wno-maybe-uninitialized $<$<COMPILE_LANGUAGE:CXX>:-Wno-mismatched-new-delete>
                      -Wno-stringop-overflow -Wno-array-bounds -Wno-restrict -Wno-dangling-pointer)
  if(SWARM_UNITY)
    # Of a file's own types, once it is included in a unit.
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_compile_options(-Wno-unused-private-field)
endif()

if(SWARM_SANITIZE)
  add_compile_options(-fsanitize=${SWARM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${SWARM_SANITIZE})
  if(SWARM_SANITIZE STREQUAL "thread")
    # TSan does not know the bare fences that Asio adds to the locks of its queues, and g++ refuses them with it.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fcf-protection=full)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()

find_program(SWARM_CCACHE ccache)
if(SWARM_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers and ccache agree only with this sloppiness.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${SWARM_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${SWARM_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
  endif()
endif()
