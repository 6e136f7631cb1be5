# Tests that run the program swarmd: its command line, and real engines behind it. Those with engines need root and
# the parts of scripts/parts.sh, and are SKIPPED with the reason where they are not there. One at a time: the waits in
# them are bounds on a machine that does nothing else.
if(NOT TARGET swarmd)
  return()
endif()

# swarm_program_test(NAME seconds program argument...)
function(swarm_program_test name seconds)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS integration RUN_SERIAL ON TIMEOUT ${seconds} SKIP_RETURN_CODE 77
                                          ENVIRONMENT "SWARMD=$<TARGET_FILE:swarmd>")
endfunction()

set(python ${Python3_EXECUTABLE} -B)
set(integration ${CMAKE_CURRENT_SOURCE_DIR}/integration)
set(clients ${CMAKE_CURRENT_SOURCE_DIR}/clients)
# The time-outs lie above the programs' own bounds, by which they end what they started. On an idle machine of 2 cores
# each takes a fifth of its time-out or less.
swarm_program_test(swarmd_flags 280 ${python} ${integration}/swarmd_flags.py)
swarm_program_test(node_command 150 ${python} ${integration}/node_command.py)
if(NOT SWARM_SANITIZE)  # a consumer would have to be built with the same sanitizer
  swarm_program_test(install 480 ${python} ${CMAKE_CURRENT_SOURCE_DIR}/install/install_test.py
                     --build ${PROJECT_BINARY_DIR} --cmake ${CMAKE_COMMAND})
  swarm_program_test(packages 480 ${python} ${CMAKE_CURRENT_SOURCE_DIR}/install/deb_test.py --build ${PROJECT_BINARY_DIR})
endif()
swarm_program_test(quickstart 480 ${integration}/quickstart_test.sh $<TARGET_FILE:swarmd>)
swarm_program_test(placement 600 ${python} ${integration}/placement.py)
swarm_program_test(faults 600 ${python} ${integration}/faults.py)
swarm_program_test(unread_containers 280 ${python} ${integration}/unread_containers.py)
swarm_program_test(images 480 ${python} ${integration}/images.py)
swarm_program_test(build 360 ${python} ${integration}/build.py)
swarm_program_test(registry 300 ${python} ${integration}/registry.py)
swarm_program_test(tls 840 ${python} ${integration}/tls.py)
swarm_program_test(clients_cli_20 840 ${python} ${clients}/cli_scenario.py --cli cli-20.10)
swarm_program_test(clients_cli_26 840 ${python} ${clients}/cli_scenario.py --cli cli-26.1 --long)
swarm_program_test(clients_cli_28 840 ${python} ${clients}/cli_scenario.py --cli cli-28)
swarm_program_test(clients_api_1_16 360 ${python} ${clients}/api_1_16.py)
swarm_program_test(clients_checks 840 ${python} ${clients}/checks.py)
swarm_program_test(clients_compose 660 ${python} ${clients}/compose.py)
swarm_program_test(clients_libraries 660 ${python} ${clients}/libraries.py)
