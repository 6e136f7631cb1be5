// The same headers as C++.
#include "swarmlib/swarm_extend.h"

extern "C" int swarm_header_cxx(void) {
  const swarm_options options = SWARM_OPTIONS_INIT;
  const swarm_request request = SWARM_REQUEST_INIT;
  const swarm_filter filter = SWARM_FILTER_INIT;
  const swarm_strategy strategy = SWARM_STRATEGY_INIT;
  const swarm_scheme scheme = SWARM_SCHEME_INIT;
  const bool same = options.struct_size == sizeof options &&
                    request.struct_size == sizeof request && filter.struct_size == sizeof filter &&
                    strategy.struct_size == sizeof strategy && scheme.struct_size == sizeof scheme;
  return same ? static_cast<int>(SWARM_UNAUTHENTICATED) : -1;
}
