#include "api/relayed_ports.h"

#include <utility>

#include "async/await.h"

namespace swarm {

bool IsRelayed(const Context& context, const ContainerEntry& entry) {
  const RelayedPorts* const relayed = context.options().relayed;
  return relayed != nullptr && relayed->Chosen(entry.container);
}

Task<void> SettleRelay(ContextPointer context) {
  auto start = [context](Callback<bool> done) {
    context->options().relayed->Settle(std::move(done));
  };
  co_await AwaitCallback<bool>(std::move(start));
}

Task<absl::StatusOr<std::string>> TellRelayed(ContextPointer context, ContainerPointer entry,
                                              std::string inspect) {
  co_await SettleRelay(context);
  const std::vector<RelayedPort> ports = context->options().relayed->Of(entry->container.id);
  if (ports.empty()) co_return inspect;
  co_return WithRelayedPorts(inspect, ports);
}

}  // namespace swarm
