# Tests of pyswarm. No label that the builds with sanitizers choose: their runtimes would have to be loaded into Python.
set(pyswarm_tests ${CMAKE_CURRENT_LIST_DIR})
set(pyswarm_package ${PROJECT_BINARY_DIR}/bindings/python)

# pyswarm_test(NAME seconds program argument...)
function(pyswarm_test name seconds)
  add_test(NAME ${name} COMMAND ${PYSWARM_PYTHON} -B ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS python TIMEOUT ${seconds} SKIP_RETURN_CODE 77
                                          ENVIRONMENT "PYTHONPATH=${pyswarm_package}")
endfunction()

pyswarm_test(python_api 280 ${pyswarm_tests}/run.py test_manager.py test_streams.py test_custom.py test_aio.py)
pyswarm_test(python_threads 7200 ${pyswarm_tests}/run.py test_threads.py)
pyswarm_test(python_processes 280 ${pyswarm_tests}/run.py test_processes.py test_plugin.py)
pyswarm_test(python_typing 600 ${pyswarm_tests}/typing_test.py --package ${pyswarm_package})
pyswarm_test(python_wheel 4800 ${pyswarm_tests}/wheel_test.py --build ${PROJECT_BINARY_DIR})
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../capi/scenario_placements.txt)
  pyswarm_test(python_scenario 120 ${pyswarm_tests}/run.py test_scenario.py)
endif()
