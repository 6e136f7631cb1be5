// The headers stand alone in strict C99, and what they promise without a manager holds.
#include "swarmlib/swarm_extend.h"
// A second time: they guard themselves.
#include "swarmlib/swarm.h"
#include "swarmlib/swarm_extend.h"

int swarm_header_cxx(void);

static const swarm_options kOptions = SWARM_OPTIONS_INIT;
static const swarm_request kRequest = SWARM_REQUEST_INIT;
static const swarm_filter kFilter = SWARM_FILTER_INIT;
static const swarm_strategy kStrategy = SWARM_STRATEGY_INIT;
static const swarm_scheme kScheme = SWARM_SCHEME_INIT;

#include "check.h"

int main(void) {
  swarm_error* error = NULL;
  CHECK(kOptions.struct_size == sizeof(swarm_options));
  CHECK(kRequest.struct_size == sizeof(swarm_request));
  CHECK(kFilter.struct_size == sizeof(swarm_filter));
  CHECK(kStrategy.struct_size == sizeof(swarm_strategy));
  CHECK(kScheme.struct_size == sizeof(swarm_scheme));
  CHECK(kOptions.overcommit > 0.04 && kOptions.overcommit < 0.06);
  CHECK(kOptions.failure_retry == 3);
  CHECK(kOptions.heartbeat_ms == 60000 && kOptions.refresh_min_ms == 30000);
  CHECK(kOptions.refresh_max_ms == 60000 && kOptions.engine_timeout_ms == 10000);
  CHECK(kOptions.max_connections == 0 && kOptions.max_connections_per_client == 0);
  CHECK(kOptions.event_listeners == 16384);
  CHECK(kOptions.client_memory == 67108864 && kOptions.event_memory == 33554432);
  CHECK(kRequest.streamed_length == -1 && kRequest.most_reply == 67108864);

  swarm_options written;
  memset(&written, 1, sizeof written);
  CHECK_OK(swarm_options_init(&written, sizeof written, &error));
  CHECK_TEXT("spread", written.strategy);
  written.strategy = kOptions.strategy;
  CHECK(memcmp(&written, &kOptions, sizeof written) == 0);
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "struct_size is 4", swarm_options_init(&written, 4, &error));
  CHECK_FAILS(SWARM_INVALID_ARGUMENT, "options is NULL",
              swarm_options_init(NULL, sizeof written, &error));

  CHECK(strchr(swarm_version(), '.') != NULL);
  CHECK_TEXT("1.12", swarm_oldest_api_version());
  CHECK(strncmp(swarm_newest_api_version(), "1.", 2) == 0);
  CHECK_TEXT("OK", swarm_code_name(SWARM_OK));
  CHECK_TEXT("UNAUTHENTICATED", swarm_code_name(SWARM_UNAUTHENTICATED));
  CHECK_TEXT("UNKNOWN", swarm_code_name((swarm_code)99));
  CHECK(swarm_header_cxx() == 16);
  printf("libswarm %s\n", swarm_version());
  return 0;
}
