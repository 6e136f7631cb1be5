# Tests of pyswarm. In a build with a sanitizer a Python of that build runs them, and they are those whose subject are
# threads and lifetimes.
set(pyswarm_tests ${CMAKE_CURRENT_LIST_DIR})
set(pyswarm_package ${PROJECT_BINARY_DIR}/bindings/python)
set(pyswarm_python ${PYSWARM_PYTHON})
set(pyswarm_environment "PYTHONPATH=${pyswarm_package}")

if(SWARM_SANITIZE)
  set(Python_EXECUTABLE ${PYSWARM_PYTHON})
  find_package(Python COMPONENTS Interpreter Development.Embed)
  if(NOT TARGET Python::Python)
    message(STATUS "pyswarm is not tested with ${SWARM_SANITIZE}: no libpython to embed (Debian's package python3-dev)")
    return()
  endif()
  add_executable(python_sanitized ${pyswarm_tests}/interpreter.cc
                                  ${PROJECT_SOURCE_DIR}/tests/support/thread_sanitizer.cc)
  target_link_libraries(python_sanitized PRIVATE Python::Python)
  # ASan looks at its start for the library that throws, which only the module needs.
  target_link_options(python_sanitized PRIVATE -Wl,--no-as-needed)
  set(pyswarm_python $<TARGET_FILE:python_sanitized>)
  # What the interpreter keeps until its end is no leak of ours; the number of cycles would show one.
  list(APPEND pyswarm_environment "SWARM_SANITIZE=${SWARM_SANITIZE}" "ASAN_OPTIONS=detect_leaks=0")
  # What has to be built for it, by the name of the test.
  add_custom_target(python_threads DEPENDS python_sanitized pyswarm)
endif()

# pyswarm_test(NAME seconds program argument...)
function(pyswarm_test name seconds)
  add_test(NAME ${name} COMMAND ${pyswarm_python} -B ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS python TIMEOUT ${seconds} SKIP_RETURN_CODE 77
                                          ENVIRONMENT "${pyswarm_environment}")
endfunction()

pyswarm_test(python_api 280 ${pyswarm_tests}/run.py test_manager.py test_streams.py test_custom.py test_aio.py
             test_aio_cancel.py test_guest.py)
pyswarm_test(python_threads 7200 ${pyswarm_tests}/run.py test_threads.py)
set_tests_properties(python_threads PROPERTIES LABELS "python;threads")
if(SWARM_SANITIZE)
  return()
endif()
pyswarm_test(python_processes 280 ${pyswarm_tests}/run.py test_processes.py test_plugin.py)
pyswarm_test(python_typing 900 ${pyswarm_tests}/typing_test.py --package ${pyswarm_package})
pyswarm_test(python_wheel 4800 ${pyswarm_tests}/wheel_test.py --build ${PROJECT_BINARY_DIR})
if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/../capi/scenario_placements.txt)
  pyswarm_test(python_scenario 120 ${pyswarm_tests}/run.py test_scenario.py)
endif()
