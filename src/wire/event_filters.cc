#include <algorithm>

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/events.h"

namespace swarm {
namespace {

using Values = std::vector<std::string>;

constexpr std::string_view kKeys[] = {"config", "container", "daemon", "event",  "image",
                                      "label",  "network",   "node",   "plugin", "scope",
                                      "secret", "service",   "type",   "volume"};

bool IsOneOf(const Values& wanted, std::string_view value) {
  return std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool BeginsWithOneOf(const Values& wanted, std::string_view value) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [value](const std::string& prefix) { return value.starts_with(prefix); });
}

// Commands and results stand behind a colon: these three are asked for by their first word.
bool ActionMatches(const Values& wanted, const ClusterEvent& event) {
  const bool has_tail = IsOneOf(wanted, "health_status") || IsOneOf(wanted, "exec_create") ||
                        IsOneOf(wanted, "exec_start");
  return has_tail ? BeginsWithOneOf(wanted, event.action) : IsOneOf(wanted, event.action);
}

bool NameOrIdBegins(const Values& wanted, const ClusterEvent& event) {
  const std::string_view name = AttributeOf(event, "name");
  if (BeginsWithOneOf(wanted, event.actor_id) || BeginsWithOneOf(wanted, name)) return true;
  const std::string on_node =
      std::string(AttributeOf(event, "node.name")) + "/" + std::string(name);
  return std::any_of(wanted.begin(), wanted.end(), [&on_node](const std::string& prefix) {
    return prefix.find('/') != std::string::npos && on_node.starts_with(prefix);
  });
}

std::string_view WithoutTag(std::string_view reference) {
  reference = reference.substr(0, reference.find('@'));
  const std::size_t colon = reference.rfind(':');
  const std::size_t slash = reference.rfind('/');
  const bool is_tag =
      colon != std::string_view::npos && (slash == std::string_view::npos || slash < colon);
  return is_tag ? reference.substr(0, colon) : reference;
}

bool ImageOfEventMatches(const Values& wanted, const ClusterEvent& event) {
  const std::string_view name = AttributeOf(event, event.type == "image" ? "name" : "image");
  return IsOneOf(wanted, event.actor_id) || IsOneOf(wanted, name) ||
         IsOneOf(wanted, WithoutTag(event.actor_id)) || IsOneOf(wanted, WithoutTag(name));
}

bool LabelsMatch(const Values& wanted, const ClusterEvent& event) {
  return std::all_of(wanted.begin(), wanted.end(), [&event](const std::string& text) {
    const std::size_t equals = text.find('=');
    const auto found = event.attributes.find(std::string_view(text).substr(0, equals));
    if (found == event.attributes.end()) return false;
    return equals == std::string::npos || found->second == text.substr(equals + 1);
  });
}

bool NodeMatches(const Values& wanted, const ClusterEvent& event) {
  return std::any_of(wanted.begin(), wanted.end(), [&event](const std::string& text) {
    return GlobMatch(text, AttributeOf(event, "node.name")) ||
           text == AttributeOf(event, "node.id") || text == event.node;
  });
}

bool KeyMatches(std::string_view key, const Values& wanted, const ClusterEvent& event) {
  if (wanted.empty()) return true;
  if (key == "event") return ActionMatches(wanted, event);
  if (key == "type") return IsOneOf(wanted, event.type);
  if (key == "scope") return IsOneOf(wanted, event.scope);
  if (key == "image") return ImageOfEventMatches(wanted, event);
  if (key == "label") return LabelsMatch(wanted, event);
  if (key == "node") return NodeMatches(wanted, event);
  return NameOrIdBegins(wanted, event);
}

}  // namespace

bool EventMatches(const ClusterEvent& event, const FilterArguments& filters) {
  return std::all_of(filters.begin(), filters.end(), [&event](const auto& filter) {
    return KeyMatches(filter.first, filter.second, event);
  });
}

absl::Status CheckEventFilters(const FilterArguments& filters) {
  for (const auto& [key, values] : filters) {
    if (std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys)) continue;
    return InvalidArgument("invalid filter '" + key + "'");
  }
  return absl::OkStatus();
}

}  // namespace swarm
