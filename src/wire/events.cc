#include "wire/events.h"

#include <array>

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

constexpr ApiVersion kFirstWithoutOldFields{1, 52};

// Engines below API 1.22 give no Type; these words are of images alone.
std::string TypeOfOldEvent(std::string_view action) {
  static constexpr std::string_view kImageActions[] = {"pull",   "push",   "tag",  "untag",
                                                       "delete", "import", "save", "load"};
  for (const std::string_view image : kImageActions) {
    if (action == image) return "image";
  }
  return "container";
}

void AddNode(const Node& node, Labels& attributes) {
  attributes["node.name"] = node.name;
  attributes["node.id"] = node.id;
  attributes["node.addr"] = node.address;
  attributes["node.ip"] = node.ip;
}

}  // namespace

std::string_view AttributeOf(const ClusterEvent& event, std::string_view key) {
  const auto found = event.attributes.find(key);
  return found == event.attributes.end() ? std::string_view() : std::string_view(found->second);
}

absl::StatusOr<ClusterEvent> ParseEvent(std::string_view object, const Node& node) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(object); !parsed.ok()) return parsed;
  const JsonValue root = document.root();
  if (!root.is(Kind::kObject))
    return InvalidArgument("an event of " + node.address + " is not a JSON object");
  ClusterEvent event;
  event.node = node.address;
  event.action = root.Find("Action").text();
  if (event.action.empty()) event.action = root.Find("status").text();
  if (event.action.empty())
    return InvalidArgument("an event of " + node.address + " names no action");
  event.type = root.Find("Type").text();
  if (event.type.empty()) event.type = TypeOfOldEvent(event.action);
  const JsonValue actor = root.Find("Actor");
  event.actor_id = actor.Find("ID").text();
  if (event.actor_id.empty()) event.actor_id = root.Find("id").text();
  actor.Find("Attributes").ForEachMember([&event](JsonValue key, JsonValue value) {
    event.attributes[key.text()] = value.text();
  });
  if (const std::string from = root.Find("from").text(); !from.empty())
    event.attributes.emplace("image", from);
  AddNode(node, event.attributes);
  event.scope = root.Find("scope").text();
  if (event.scope.empty()) event.scope = "local";
  const std::int64_t seconds = root.Find("time").integer().value_or(0);
  constexpr std::int64_t kMostSeconds = 9'000'000'000;
  event.time_nano = root.Find("timeNano").integer().value_or(0);
  if (event.time_nano == 0 && seconds > 0 && seconds < kMostSeconds)
    event.time_nano = seconds * 1'000'000'000;
  return event;
}

bool ComesBefore(const ClusterEvent& left, const ClusterEvent& right) {
  if (left.time_nano != right.time_nano) return left.time_nano < right.time_nano;
  if (left.node == right.node) return false;
  const std::string_view left_name = AttributeOf(left, "node.name");
  const std::string_view right_name = AttributeOf(right, "node.name");
  return left_name != right_name ? left_name < right_name : left.node < right.node;
}

std::size_t MemoryOf(const ClusterEvent& event) {
  constexpr std::size_t kOwnBlock = 48;  // of the allocator, and the pointer's counts
  constexpr std::size_t kPlaces = 96;    // in the two orders of the history
  constexpr std::size_t kMapNode = 112;  // of an attribute, as the allocator rounds it
  constexpr std::size_t kInPlace = 15;   // characters that a string holds without memory of its own
  constexpr std::size_t kTextBlock = 16;  // of the allocator
  const auto text = [](const std::string& value) {
    return value.size() > kInPlace ? value.size() + kTextBlock : 0;
  };
  std::size_t bytes = sizeof(event) + kOwnBlock + kPlaces + text(event.type) + text(event.action) +
                      text(event.actor_id) + text(event.scope) + text(event.node);
  for (const auto& [key, value] : event.attributes) bytes += kMapNode + text(key) + text(value);
  return bytes;
}

ClusterEvent EventsLost(const Node& node, std::int64_t time_nano, std::string_view reason) {
  ClusterEvent event;
  event.type = "node";
  event.action = "events_lost";
  event.actor_id = node.id;
  event.attributes["name"] = node.name;
  event.attributes["reason"] = reason;
  AddNode(node, event.attributes);
  event.scope = "swarm";
  event.time_nano = time_nano;
  event.node = node.address;
  return event;
}

std::string FormatEvent(const ClusterEvent& event, ApiVersion client) {
  std::string json = "{";
  const std::string_view node_name = AttributeOf(event, "node.name");
  if (client < kFirstWithoutOldFields) {
    const bool is_own = event.type == "node" || event.type == "swarm";
    if (event.type == "container" || event.type == "image" || is_own) {
      AppendJsonField(json, "status", event.action);
      AppendJsonField(json, "id", event.actor_id);
      std::string from(is_own ? "swarm" : AttributeOf(event, "image"));
      if (!from.empty()) AppendJsonField(json, "from", from.append(" node:").append(node_name));
    }
    AppendJsonKey(json, "node");
    json.push_back('{');
    AppendJsonField(json, "Name", node_name);
    AppendJsonField(json, "Id", AttributeOf(event, "node.id"));
    AppendJsonField(json, "Addr", AttributeOf(event, "node.addr"));
    AppendJsonField(json, "Ip", AttributeOf(event, "node.ip"));
    json.push_back('}');
  }
  AppendJsonField(json, "Type", event.type);
  AppendJsonField(json, "Action", event.action);
  AppendJsonKey(json, "Actor");
  json.push_back('{');
  AppendJsonField(json, "ID", event.actor_id);
  AppendJsonKey(json, "Attributes");
  json.push_back('{');
  for (const auto& [key, value] : event.attributes) AppendJsonField(json, key, value);
  json.append("}}");
  AppendJsonField(json, "scope", event.scope);
  AppendJsonField(json, "time", event.time_nano / 1'000'000'000);
  AppendJsonField(json, "timeNano", event.time_nano);
  json.append("}\n");
  return json;
}

}  // namespace swarm
