# cmake -DWANTED=TEXT_OR_FILE "-DCOMMAND=program;argument" -P prints.cmake: the command succeeds and prints just that.
execute_process(COMMAND ${COMMAND} OUTPUT_VARIABLE printed ERROR_VARIABLE complaint RESULT_VARIABLE code TIMEOUT 110)
if(EXISTS "${WANTED}")
  file(READ "${WANTED}" WANTED)
endif()
if(NOT code EQUAL 0 OR NOT printed STREQUAL WANTED OR NOT complaint STREQUAL "")
  message(FATAL_ERROR "${COMMAND}\nended with ${code} and printed\n${printed}${complaint}\ninstead of what it should")
endif()
