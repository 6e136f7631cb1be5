#include <utility>

#include "sim/sim_state.h"
#include "wire/events.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

constexpr ApiVersion kFirstWithoutOldFields{1, 52};

std::string EventText(const ClusterEvent& event, ApiVersion version) {
  std::string json = "{";
  if (version < kFirstWithoutOldFields && (event.type == "container" || event.type == "image")) {
    AppendJsonField(json, "status", event.action);
    AppendJsonField(json, "id", event.actor_id);
    const auto image = event.attributes.find("image");
    if (image != event.attributes.end()) AppendJsonField(json, "from", image->second);
  }
  AppendJsonField(json, "Type", event.type);
  AppendJsonField(json, "Action", event.action);
  AppendJsonKey(json, "Actor");
  json.append("{\"ID\":").append(JsonString(event.actor_id)).append(",\"Attributes\":{");
  for (const auto& [key, value] : event.attributes) AppendJsonField(json, key, value);
  json.append("}},\"scope\":\"local\"");
  AppendJsonField(json, "time", event.time_nano / 1'000'000'000);
  AppendJsonField(json, "timeNano", event.time_nano);
  return json + "}\n";
}

// "1420070400", "1420070400.000000001", or RFC 3339; empty = none.
std::optional<std::int64_t> ParseEventTime(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (const auto time = ParseTime(text)) return time->time_since_epoch().count();
  const std::size_t dot = text.find('.');
  std::string fraction = dot == std::string::npos ? "" : text.substr(dot + 1);
  fraction.resize(9, '0');
  return std::strtoll(text.substr(0, dot).c_str(), nullptr, 10) * 1'000'000'000 +
         std::strtoll(fraction.c_str(), nullptr, 10);
}

}  // namespace

void SimState::Emit(std::string type, std::string action, std::string actor, Labels attributes) {
  ClusterEvent event;
  event.type = std::move(type);
  event.action = std::move(action);
  event.actor_id = std::move(actor);
  event.attributes = std::move(attributes);
  event.scope = "local";
  event.time_nano = Now().time_since_epoch().count();
  // A clock that stands still must not make two events look like one sent twice.
  if (!events_.empty() && event.time_nano <= events_.back().time_nano) {
    event.time_nano = events_.back().time_nano + 1;
  }
  std::erase_if(subscribers_, [](const Subscriber& one) { return one.queue->abandoned(); });
  for (const Subscriber& subscriber : subscribers_) {
    if (EventMatches(event, subscriber.filters))
      subscriber.queue->Append(EventText(event, subscriber.version));
  }
  events_.push_back(std::move(event));
  if (events_.size() > kMostSimEvents) events_.pop_front();
}

void SimState::EmitOf(const SimContainer& container, std::string action, Labels further) {
  Labels attributes = container.labels;
  attributes["image"] = container.image;
  attributes["name"] = container.name;
  for (auto& [key, value] : further) attributes[key] = value;
  Emit("container", std::move(action), container.id, std::move(attributes));
}

void SimState::EmitOfNetwork(const SimContainer& container, std::string action) {
  if (!OnBridge(container)) return;
  Emit("network", std::move(action), SimIdOf("network bridge"),
       {{"container", container.id}, {"name", "bridge"}, {"type", "bridge"}});
}

Reply SimState::Events(const SimCall& call) {
  const auto filters = ParseFilters(QueryText(call.query, "filters"));
  if (!filters.ok()) return SimError(400, "invalid filter");
  const absl::Status checked = CheckEventFilters(*filters);
  // Filters of a cluster are none of an engine's.
  if (!checked.ok() || filters->contains("node")) return SimError(400, "Invalid filter 'node'");
  const std::optional<std::int64_t> since = ParseEventTime(QueryText(call.query, "since"));
  const std::optional<std::int64_t> until = ParseEventTime(QueryText(call.query, "until"));
  std::shared_ptr<ByteQueue> queue = NewQueue();
  if (since || until) {
    for (const ClusterEvent& event : events_) {
      if ((since && event.time_nano < *since) || (until && event.time_nano > *until)) continue;
      if (EventMatches(event, *filters)) queue->Append(EventText(event, call.version));
    }
  }
  if (until) {
    const std::int64_t left = *until - Now().time_since_epoch().count();
    if (left <= 0) {
      queue->Close();
      return SimStream(std::move(queue), "application/json");
    }
    Loop::Current()->After(Duration(left), [queue] { queue->Close(); });
  }
  subscribers_.push_back({queue, *filters, call.version});
  return SimStream(std::move(queue), "application/json");
}

}  // namespace swarm
