# Tests of pyswarm. In a build with a sanitizer its runtime is loaded into Python before anything else, and the tests
# are those whose subject are threads and lifetimes.
set(pyswarm_tests ${CMAKE_CURRENT_LIST_DIR})
set(pyswarm_package ${PROJECT_BINARY_DIR}/bindings/python)

set(pyswarm_environment "PYTHONPATH=${pyswarm_package}")
if(SWARM_SANITIZE MATCHES "address")
  # The C++ library too: the runtime looks at its start for what throws.
  set(runtimes "")
  foreach(runtime libasan.so libstdc++.so.6)
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${runtime} OUTPUT_VARIABLE runtime
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(APPEND runtimes " ${runtime}")
  endforeach()
  # What the interpreter keeps until its end is no leak of ours; the number of cycles would show one.
  list(APPEND pyswarm_environment "LD_PRELOAD=${runtimes}" "ASAN_OPTIONS=detect_leaks=0")
endif()

# pyswarm_test(NAME seconds program argument...)
function(pyswarm_test name seconds)
  add_test(NAME ${name} COMMAND ${PYSWARM_PYTHON} -B ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS python TIMEOUT ${seconds} SKIP_RETURN_CODE 77
                                          ENVIRONMENT "${pyswarm_environment}")
endfunction()

pyswarm_test(python_api 280 ${pyswarm_tests}/run.py test_manager.py test_streams.py test_custom.py test_aio.py)
pyswarm_test(python_threads 7200 ${pyswarm_tests}/run.py test_threads.py)
if(SWARM_SANITIZE)
  return()
endif()
pyswarm_test(python_processes 280 ${pyswarm_tests}/run.py test_processes.py test_plugin.py)
pyswarm_test(python_typing 900 ${pyswarm_tests}/typing_test.py --package ${pyswarm_package})
pyswarm_test(python_wheel 4800 ${pyswarm_tests}/wheel_test.py --build ${PROJECT_BINARY_DIR})
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../capi/scenario_placements.txt)
  pyswarm_test(python_scenario 120 ${pyswarm_tests}/run.py test_scenario.py)
endif()
