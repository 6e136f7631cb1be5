// What the API asks of the manager's port relay.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/context.h"
#include "swarmlib/callback.h"
#include "swarmlib/model.h"
#include "wire/relayed_ports.h"

namespace swarm {

// Thread-safe.
class RelayedPorts {
 public:
  virtual ~RelayedPorts() = default;

  // Whether such a container's published ports are relayed while it runs.
  virtual bool Chosen(const Container& container) const = 0;
  // Calls back, on any thread, once the relay has seen the containers as they are known now.
  virtual void Settle(Callback<bool> done) = 0;
  // Of one container, by port; empty when it publishes none, or is not chosen.
  virtual std::vector<RelayedPort> Of(std::string_view container_id) const = 0;
};

// Whether there is a relay and it has chosen the container.
bool IsRelayed(const Context& context, const ContainerEntry& entry);

// Waits until the relay has seen the container as it is now.
Task<void> SettleRelay(ContextPointer context);

// The inspect answer with the container's ports as the relay has them, once it has settled.
Task<absl::StatusOr<std::string>> TellRelayed(ContextPointer context, ContainerPointer entry,
                                              std::string inspect);

}  // namespace swarm
