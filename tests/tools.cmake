# The shape of the tree as tests: layers, purity, coroutine lint, hash order, format, self-contained public headers.
set(tools ${PROJECT_SOURCE_DIR}/tools)
add_test(NAME tools_layers COMMAND ${Python3_EXECUTABLE} ${tools}/check_layers.py ${PROJECT_SOURCE_DIR})
add_test(NAME tools_coawait COMMAND ${Python3_EXECUTABLE} ${tools}/check_coawait.py ${PROJECT_SOURCE_DIR})
add_test(NAME tools_coawait_finds
         COMMAND ${Python3_EXECUTABLE} ${tools}/check_coawait.py ${CMAKE_CURRENT_SOURCE_DIR}/tools/coawait)
add_test(NAME tools_hash_order COMMAND ${Python3_EXECUTABLE} ${tools}/check_hash_order.py ${PROJECT_SOURCE_DIR})
add_test(NAME tools_format COMMAND ${tools}/check_format.sh)
set_tests_properties(tools_coawait_finds PROPERTIES WILL_FAIL ON)
set_tests_properties(tools_layers tools_coawait tools_coawait_finds tools_hash_order tools_format PROPERTIES LABELS tools)
set_tests_properties(tools_format PROPERTIES SKIP_RETURN_CODE 77)
if(NOT SWARM_SANITIZE)
  add_test(NAME tools_pure COMMAND ${Python3_EXECUTABLE} ${tools}/check_pure.py ${PROJECT_BINARY_DIR})
  add_test(NAME tools_headers COMMAND ${CMAKE_COMMAND} --build ${PROJECT_BINARY_DIR}
                                      --target swarm_verify_interface_header_sets)
  set_tests_properties(tools_pure tools_headers PROPERTIES LABELS tools)
endif()
# The documentation: its links, the programs that it shows, and a comment on all that is public.
add_test(NAME tools_docs COMMAND ${Python3_EXECUTABLE} -B ${tools}/check_docs.py ${PROJECT_SOURCE_DIR} README.md docs)
add_test(NAME tools_docs_finds
         COMMAND ${Python3_EXECUTABLE} -B ${tools}/check_docs.py ${PROJECT_SOURCE_DIR} tests/tools/docs)
set_tests_properties(tools_docs_finds PROPERTIES
                     PASS_REGULAR_EXPRESSION "leads nowhere.*no heading.*what is shown of LICENSE")
add_test(NAME tools_reference
         COMMAND ${Python3_EXECUTABLE} -B ${tools}/make_reference.py ${PROJECT_SOURCE_DIR} --check)
set_tests_properties(tools_docs tools_docs_finds tools_reference PROPERTIES LABELS tools)
