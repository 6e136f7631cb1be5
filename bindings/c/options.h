// swarm_options as a Config.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "bindings/c/owned.h"
#include "swarmlib/manager.h"
#include "swarmlib/swarm.h"
#include "swarmlib/swarm_extend.h"

namespace swarm::c {

// Fills `config`. InvalidArgument names the field that is wrong.
absl::Status ReadOptions(const swarm_options* options, Config& config, OwnedList& owned);

// Each adds one of the caller's to its registry.
absl::Status AddFilter(const swarm_filter* filter, Config& config, OwnedList& owned);
absl::Status AddStrategy(const swarm_strategy* strategy, Config& config, OwnedList& owned);
absl::Status AddScheme(const swarm_scheme* scheme, Config& config, OwnedList& owned);

// A word for a registry: lower-case letters, digits, "-" and "_".
absl::Status CheckName(const char* name);

// `count` strings that are not NULL. `name` is the field's.
absl::Status ReadStrings(const char* const* strings, std::size_t count, const char* name,
                         std::vector<std::string>& into);

}  // namespace swarm::c
