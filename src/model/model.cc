#include "swarmlib/model.h"

#include <array>
#include <utility>

#include "base/check.h"

namespace swarm {
namespace {

constexpr std::array<std::pair<ContainerState, std::string_view>, 7> kContainerStates = {{
    {ContainerState::kCreated, "created"},
    {ContainerState::kRunning, "running"},
    {ContainerState::kPaused, "paused"},
    {ContainerState::kRestarting, "restarting"},
    {ContainerState::kRemoving, "removing"},
    {ContainerState::kExited, "exited"},
    {ContainerState::kDead, "dead"},
}};

}  // namespace

std::string_view NodeStateName(NodeState state) {
  switch (state) {
    case NodeState::kPending: return "Pending";
    case NodeState::kHealthy: return "Healthy";
    case NodeState::kUnhealthy: return "Unhealthy";
    case NodeState::kDisconnected: return "Disconnected";
  }
  CheckFailed(__FILE__, __LINE__, "state", "a node state is one of the four");
}

std::string_view ContainerStateName(ContainerState state) {
  for (const auto& [known, name] : kContainerStates) {
    if (known == state) return name;
  }
  CheckFailed(__FILE__, __LINE__, "state", "a container state is one of the seven");
}

std::optional<ContainerState> ParseContainerState(std::string_view name) {
  for (const auto& [state, known] : kContainerStates) {
    if (known == name) return state;
  }
  return std::nullopt;
}

}  // namespace swarm
