#include "base/json_text.h"
#include "wire/containers.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

// What has no time yet was seen in a list but not inspected.
std::string Since(WallTime start, WallTime now) {
  return start == WallTime{} ? "Less than a second" : HumanDuration(now - start);
}

std::string RunningText(const Container& container, WallTime now) {
  std::string text = "Up " + Since(container.started_at, now);
  if (!container.has_health || container.health == "none") return text;
  return text +
         (container.health == "starting" ? " (health: starting)" : " (" + container.health + ")");
}

}  // namespace

std::string StatusText(const Container& container, NodeState node_state, WallTime now) {
  if (node_state != NodeState::kHealthy) return "Host Down";
  const std::string code = "(" + std::to_string(container.exit_code) + ") ";
  switch (container.state) {
    case ContainerState::kCreated: return "Created";
    case ContainerState::kRunning: return RunningText(container, now);
    case ContainerState::kPaused: return "Up " + Since(container.started_at, now) + " (Paused)";
    case ContainerState::kRestarting:
      return "Restarting " + code + Since(container.finished_at, now) + " ago";
    case ContainerState::kRemoving: return "Removal In Progress";
    case ContainerState::kExited:
      return "Exited " + code + Since(container.finished_at, now) + " ago";
    case ContainerState::kDead: return "Dead";
  }
  return {};
}

void AppendRow(std::string& to, const ContainerEntry& entry, WallTime now) {
  const WallTime engine_now = entry.node ? now + entry.node->clock_offset : now;
  const NodeState state = entry.node ? entry.node->state : NodeState::kDisconnected;
  to.append(entry.row.head);
  AppendJsonString(to, StatusText(entry.container, state, engine_now));
  to.append(entry.row.tail);
}

void SetRowState(ListFragment& row, std::string_view state) {
  // Quotes within a value are escaped, so this is the key; no engine has one of that name within.
  constexpr std::string_view kKey = "\"State\":\"";
  for (std::string* const part : {&row.head, &row.tail}) {
    const std::size_t key = part->find(kKey);
    if (key == std::string::npos) continue;
    const std::size_t value = key + kKey.size();
    part->replace(value, part->find('"', value) - value, state);
    return;
  }
}

WallTime RowHoldsUntil(const ContainerEntry& entry, WallTime now) {
  if (!entry.node || entry.node->state != NodeState::kHealthy) return WallTime::max();
  const Container& container = entry.container;
  WallTime start{};
  switch (container.state) {
    case ContainerState::kRunning:
    case ContainerState::kPaused: start = container.started_at; break;
    case ContainerState::kRestarting:
    case ContainerState::kExited: start = container.finished_at; break;
    case ContainerState::kCreated:
    case ContainerState::kRemoving:
    case ContainerState::kDead: break;
  }
  if (start == WallTime{}) return WallTime::max();
  return now + HumanDurationHolds(now + entry.node->clock_offset - start);
}

}  // namespace swarm
