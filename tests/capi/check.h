// The assertions of the C tests: each ends the program with the place and what was found.
#ifndef TESTS_CAPI_CHECK_H_
#define TESTS_CAPI_CHECK_H_

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "swarmlib/swarm.h"

// Exit code of a test that cannot run here.
#define SKIPPED 77

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

static inline void check_code(const char* file, int line, const char* call, swarm_code wanted,
                              swarm_code got, swarm_error** error, const char* part) {
  const char* const message = swarm_error_message(*error);
  if (got != wanted || swarm_error_code(*error) != wanted || strstr(message, part) == NULL) {
    fprintf(stderr, "%s:%d: %s\n  wanted %s with \"%s\", got %s: %s\n", file, line, call,
            swarm_code_name(wanted), part, swarm_code_name(got), message);
    exit(1);
  }
  swarm_error_free(*error);
  *error = NULL;
}

// `call` takes &error, a swarm_error* of the scope.
#define CHECK_OK(call) check_code(__FILE__, __LINE__, #call, SWARM_OK, (call), &error, "")
// The call fails with that code, and its message holds `part`.
#define CHECK_FAILS(code, part, call) \
  check_code(__FILE__, __LINE__, #call, (code), (call), &error, (part))

#define CHECK_TEXT(wanted, got)                                                      \
  do {                                                                               \
    const char* const check_got = (got);                                             \
    if (check_got == NULL || strcmp((wanted), check_got) != 0) {                     \
      fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #got, \
              check_got == NULL ? "NULL" : check_got, (wanted));                     \
      exit(1);                                                                       \
    }                                                                                \
  } while (0)

// Milliseconds that no wait of a test comes near to.
#define PATIENCE 60000

// True in the long forms of the tests.
static inline int is_long(void) {
  const char* const value = getenv("SWARM_LONG");
  return value != NULL && strcmp(value, "1") == 0;
}

// Options for `discovery` with simulated engines, and everything else as it is by default.
static inline swarm_options simulated(const char* discovery) {
  swarm_options options = SWARM_OPTIONS_INIT;
  options.discovery = discovery;
  options.simulation = 1;
  options.threads = 1;
  options.seed = 7;
  return options;
}

// An open and ready manager.
static inline swarm_manager* open_ready(const swarm_options* options) {
  swarm_error* error = NULL;
  swarm_manager* manager = NULL;
  CHECK_OK(swarm_manager_open(options, &manager, &error));
  CHECK_OK(swarm_manager_wait_ready(manager, PATIENCE, &error));
  return manager;
}

#endif  // TESTS_CAPI_CHECK_H_
