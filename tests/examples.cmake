# The programs of examples/ that others shall copy from: each is built and run, and says what it should.
set(examples ${PROJECT_SOURCE_DIR}/examples)

# example_test(NAME "wanted output" command...): the output is the file's text, or the words themselves.
function(example_test name wanted)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} "-DWANTED=${wanted}" "-DCOMMAND=${ARGN}"
                                -P ${CMAKE_CURRENT_SOURCE_DIR}/support/prints.cmake)
  set_tests_properties(${name} PROPERTIES TIMEOUT 120)
endfunction()

add_executable(example_embed ${examples}/embed/embed.cc)
target_link_libraries(example_embed PRIVATE swarm::swarm)
example_test(example_embed "sim-0001\n" $<TARGET_FILE:example_embed>)
add_executable(example_scenario ${examples}/scenario/scenario.cc)
target_link_libraries(example_scenario PRIVATE swarm::swarm)
example_test(example_scenario ${CMAKE_CURRENT_SOURCE_DIR}/capi/scenario_placements.txt $<TARGET_FILE:example_scenario>)
file(GLOB orchestrator CONFIGURE_DEPENDS ${examples}/orchestrator/*.cc)
add_executable(example_orchestrator ${orchestrator})
target_link_libraries(example_orchestrator PRIVATE swarm::swarm)
example_test(example_orchestrator ${CMAKE_CURRENT_SOURCE_DIR}/install/orchestrator.txt
             $<TARGET_FILE:example_orchestrator>)
set_tests_properties(example_embed example_scenario example_orchestrator PROPERTIES LABELS sim)
if(TARGET swarm::c)
  add_executable(example_embed_c ${examples}/embed/embed.c)
  target_link_libraries(example_embed_c PRIVATE swarm::c)
  set_target_properties(example_embed_c PROPERTIES LINKER_LANGUAGE CXX)  # for the sanitizers' sake
  example_test(example_embed_c "sim-0001\n" $<TARGET_FILE:example_embed_c>)
  set_tests_properties(example_embed_c PROPERTIES LABELS sim)
endif()
if(TARGET pyswarm AND NOT SWARM_SANITIZE)
  example_test(example_embed_python "sim-0001\n" ${PYSWARM_PYTHON} ${examples}/embed/embed.py)
  set_tests_properties(example_embed_python PROPERTIES LABELS python
                       ENVIRONMENT "PYTHONPATH=$<TARGET_FILE_DIR:_core>/..;PYTHONDONTWRITEBYTECODE=1")
endif()
