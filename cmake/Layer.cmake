# Rooms as closed-linked layers.
#
# swarm_room(NAME [USES room...] [LINK target...]) makes the OBJECT library swarm_NAME of src/NAME/**.cc and, beside
# it, the shared object swarm_closed_NAME of the same objects, linked with -z defs against the rooms it may use
# and nothing else: a call into another room is an undefined reference when it is built.
#
# Rooms that include Asio share one precompiled header, owned by async; the others one owned by base.

set_property(GLOBAL PROPERTY SWARM_ROOMS "")
set(SWARM_ASIO_ROOMS async net backend discovery cluster api sim manager)

function(swarm_room name)
  cmake_parse_arguments(ROOM "" "" "USES;LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  if(NOT sources)
    return()
  endif()
  # What users of the room need besides its code: headers and libraries, its own and those of the rooms below.
  add_library(swarm_${name}_needs INTERFACE)
  target_link_libraries(swarm_${name}_needs INTERFACE ${ROOM_LINK})
  target_include_directories(swarm_${name}_needs INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  set(closed "")
  foreach(used IN LISTS ROOM_USES)
    if(TARGET swarm_${used})
      target_link_libraries(swarm_${name}_needs INTERFACE swarm_${used}_needs)
      list(APPEND closed swarm_closed_${used})
    endif()
  endforeach()
  add_library(swarm_${name} OBJECT ${sources})
  target_link_libraries(swarm_${name} PUBLIC swarm_${name}_needs)
  set_target_properties(swarm_${name} PROPERTIES UNITY_BUILD ${SWARM_UNITY} UNITY_BUILD_BATCH_SIZE 24)
  # Checks name their file as the tree does, wherever it was built. Debuggers are told the whole path all the same.
  target_compile_options(swarm_${name} PRIVATE -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
  if(name STREQUAL "base")
    # Of that file alone: the precompiled header must fit rooms that do not have it.
    set_property(SOURCE ${PROJECT_SOURCE_DIR}/src/base/version.cc
                 APPEND PROPERTY COMPILE_DEFINITIONS SWARM_VERSION="${PROJECT_VERSION}")
  endif()
  if(${name} IN_LIST SWARM_ASIO_ROOMS)
    if(name STREQUAL "async")
      target_precompile_headers(swarm_${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/asio_pch.h)
    else()
      target_precompile_headers(swarm_${name} REUSE_FROM swarm_async)
    endif()
  elseif(name STREQUAL "base")
    target_precompile_headers(swarm_${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pure_pch.h)
  else()
    target_precompile_headers(swarm_${name} REUSE_FROM swarm_base)
  endif()
  if(NOT SWARM_SANITIZE)
    add_library(swarm_closed_${name} SHARED $<TARGET_OBJECTS:swarm_${name}>)
    target_link_options(swarm_closed_${name} PRIVATE -Wl,-z,defs)
    target_link_libraries(swarm_closed_${name} PRIVATE ${closed} swarm_${name}_needs)
  endif()
  set_property(GLOBAL APPEND PROPERTY SWARM_ROOMS ${name})
endfunction()

# The static library swarm of all rooms.
function(swarm_library)
  get_property(rooms GLOBAL PROPERTY SWARM_ROOMS)
  add_library(swarm STATIC)
  add_library(swarm::swarm ALIAS swarm)
  foreach(room IN LISTS rooms)
    target_sources(swarm PRIVATE $<TARGET_OBJECTS:swarm_${room}>)
    target_link_libraries(swarm PUBLIC swarm_${room}_needs)
  endforeach()
  set_target_properties(swarm PROPERTIES LINKER_LANGUAGE CXX)

  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/swarmlib/*.h)
  target_sources(swarm INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${headers})
  set_target_properties(swarm PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()
