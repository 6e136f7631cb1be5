#include "wire/relayed_ports.h"

#include <algorithm>

#include "base/json_text.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

std::string BindingText(std::string_view ip, std::string_view port) {
  std::string json = "{";
  AppendJsonField(json, "HostIp", ip);
  AppendJsonField(json, "HostPort", port);
  json.push_back('}');
  return json;
}

std::string PortDigits(std::uint16_t port) { return std::to_string(port); }

// The bindings of one port, those that are relayed at the manager's addresses, each once.
std::string BindingsText(std::string_view text, JsonValue list, std::string_view port,
                         const std::vector<RelayedPort>& relayed) {
  std::vector<std::string> bindings;
  const auto add = [&bindings](std::string binding) {
    if (std::find(bindings.begin(), bindings.end(), binding) == bindings.end())
      bindings.push_back(std::move(binding));
  };
  list.ForEachElement([&](JsonValue entry) {
    const std::string host_port = entry.Find("HostPort").text();
    const auto found =
        std::find_if(relayed.begin(), relayed.end(), [&](const RelayedPort& candidate) {
          return candidate.port == port && PortDigits(candidate.node_port) == host_port;
        });
    if (found == relayed.end() || found->ips.empty()) {
      add(std::string(text.substr(entry.begin(), entry.end() - entry.begin())));
      return;
    }
    for (const std::string& ip : found->ips) add(BindingText(ip, PortDigits(found->manager_port)));
  });
  return "[" + Join(bindings, ",") + "]";
}

std::string RelayText(const std::vector<RelayedPort>& relayed) {
  std::string json = "[";
  for (const RelayedPort& port : relayed) {
    if (json.size() > 1) json.push_back(',');
    json.push_back('{');
    AppendJsonField(json, "Port", port.port);
    AppendJsonField(json, "NodeIp", port.node_ip);
    AppendJsonField(json, "NodePort", PortDigits(port.node_port));
    AppendJsonKey(json, "HostIps");
    AppendJsonStrings(json, port.ips);
    AppendJsonField(json, "HostPort", port.ips.empty() ? "" : PortDigits(port.manager_port));
    AppendJsonField(json, "Error", port.error);
    json.push_back('}');
  }
  return json + "]";
}

}  // namespace

absl::StatusOr<std::string> WithRelayedPorts(std::string_view inspect,
                                             const std::vector<RelayedPort>& relayed) {
  JsonDocument document;
  if (absl::Status parsed = document.Parse(inspect); !parsed.ok()) return parsed;
  const JsonValue root = document.root();
  if (!root.is(JsonDocument::Kind::kObject))
    return InvalidArgument("the description of a container is no object");
  TextEdits edits;
  edits.AddMember(root, "\"PortRelay\":" + RelayText(relayed));
  root.Find("NetworkSettings").Find("Ports").ForEachMember([&](JsonValue key, JsonValue list) {
    if (!list.is(JsonDocument::Kind::kArray)) return;
    edits.Replace(list.begin(), list.end(), BindingsText(inspect, list, key.text(), relayed));
  });
  return edits.Apply(inspect, 0, inspect.size());
}

}  // namespace swarm
