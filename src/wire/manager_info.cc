#include "wire/manager_info.h"

#include "base/text.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

constexpr ApiVersion kLastWithDriverStatus{1, 21};
constexpr std::int64_t kProcessor = 1'000'000'000;
constexpr const char* kRowPrefix = "  \u2514 ";

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string Processors(std::int64_t nano_cpus) {
  const std::int64_t hundredths = nano_cpus / (kProcessor / 100);
  std::string text = std::to_string(hundredths / 100);
  if (hundredths % 100 == 0) return text;
  text.push_back('.');
  if (hundredths % 100 < 10) text.push_back('0');
  text.append(std::to_string(hundredths % 100));
  if (text.back() == '0') text.pop_back();
  return text;
}

// Engines call it as the kernel does in /info, and as Go does in /version.
std::string MachineName(const std::string& architecture) {
  if (architecture == "amd64") return "x86_64";
  if (architecture == "arm64") return "aarch64";
  if (architecture == "386") return "i686";
  return architecture;
}

std::string JoinedLabels(const Labels& labels) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : labels) parts.push_back(key + "=" + value);
  return Join(parts, ", ");
}

std::string ContainersText(const Node& node, const NodeTotals& totals) {
  std::string text = std::to_string(totals.containers);
  if (node.state != NodeState::kHealthy) return text;
  return text + " (" + std::to_string(totals.running) + " Running, " +
         std::to_string(totals.paused) + " Paused, " + std::to_string(totals.stopped) + " Stopped)";
}

void AddNodeRows(const Node& node, const NodeTotals& totals, Rows& rows) {
  const auto add = [&rows](const char* key, std::string value) {
    rows.emplace_back(std::string(kRowPrefix) + key, std::move(value));
  };
  rows.emplace_back(" " + (node.name.empty() ? std::string("(unknown)") : node.name), node.address);
  add("ID", node.id);
  add("Status", std::string(NodeStateName(node.state)) + (node.cordoned ? " (cordoned)" : ""));
  add("Containers", ContainersText(node, totals));
  add("Reserved CPUs",
      Processors(totals.reserved.nano_cpus) + " / " + Processors(totals.total.nano_cpus));
  add("Reserved Memory",
      HumanSize(totals.reserved.memory) + " / " + HumanSize(totals.total.memory));
  add("Labels", JoinedLabels(node.labels));
  if (!node.error.empty()) add("Error", node.error);
  add("UpdatedAt",
      node.updated_at == WallTime{} ? std::string("(never)") : FormatTimeSeconds(node.updated_at));
  add("ServerVersion", node.engine_version);
}

Rows StatusRows(const ManagerFacts& facts) {
  Rows rows = {{"Role", "primary"},
               {"Strategy", facts.strategy},
               {"Filters", Join(facts.filters, ", ")},
               {"Nodes", std::to_string(facts.nodes.size())}};
  for (const auto& [node, totals] : facts.nodes) AddNodeRows(*node, totals, rows);
  return rows;
}

// The first key begins with a backspace, which takes back the one space that clients of that time
// print before it.
Rows OldStatusRows(const ManagerFacts& facts) {
  Rows rows = {{"\bNodes", std::to_string(facts.nodes.size())}};
  for (const auto& [node, totals] : facts.nodes) {
    rows.emplace_back(node->name.empty() ? "(unknown)" : node->name, node->address);
  }
  return rows;
}

void AppendRows(std::string& json, std::string_view key, const Rows& rows) {
  AppendJsonKey(json, key);
  json.push_back('[');
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) json.push_back(',');
    AppendJsonStrings(json, {rows[i].first, rows[i].second});
  }
  json.push_back(']');
}

void AppendRaw(std::string& json, std::string_view key, std::string_view value) {
  AppendJsonKey(json, key);
  json.append(value);
}

std::vector<std::string> Warnings(const ManagerFacts& facts) {
  std::vector<std::string> warnings;
  for (const auto& [node, totals] : facts.nodes) {
    if (node->state == NodeState::kHealthy) continue;
    std::string text = "WARNING: node " + (node->name.empty() ? node->address : node->name) +
                       " is " + ToLower(NodeStateName(node->state));
    if (!node->error.empty()) text.append(": ").append(node->error);
    warnings.push_back(std::move(text));
  }
  return warnings;
}

// Without overcommit, which is a rule of placement: clients take these for the size of the machine.
Resources WhatThereIs(const ManagerFacts& facts) {
  Resources sum;
  for (const auto& [node, totals] : facts.nodes) {
    sum.nano_cpus += node->total.nano_cpus;
    sum.memory += node->total.memory;
  }
  return sum;
}

// What clients print and the manager has no say in: values that make them print nothing wrong.
void AppendConstants(std::string& json) {
  for (const char* key :
       {"MemoryLimit", "SwapLimit", "CpuCfsPeriod", "CpuCfsQuota", "CPUShares", "CPUSet",
        "PidsLimit", "IPv4Forwarding", "BridgeNfIptables", "BridgeNfIp6tables", "OomKillDisable",
        "KernelMemory", "KernelMemoryTCP"}) {
    AppendJsonField(json, key, true);
  }
  AppendJsonField(json, "Debug", false);
  AppendJsonField(json, "LiveRestoreEnabled", false);
  AppendJsonField(json, "Driver", "");
  AppendJsonField(json, "LoggingDriver", "");
  AppendJsonField(json, "CgroupDriver", "");
  AppendJsonField(json, "DockerRootDir", "");
  AppendJsonField(json, "IndexServerAddress", "https://index.docker.io/v1/");
  AppendRaw(json, "Plugins", R"({"Volume":[],"Network":[],"Authorization":null,"Log":[]})");
  AppendRaw(json, "RegistryConfig",
            R"({"InsecureRegistryCIDRs":[],"IndexConfigs":{},"Mirrors":[]})");
  AppendRaw(
      json, "Swarm",
      R"({"NodeID":"","NodeAddr":"","LocalNodeState":"inactive","ControlAvailable":false,"Error":"",)"
      R"("RemoteManagers":null})");
  AppendRaw(json, "Runtimes", "{}");
  AppendJsonField(json, "DefaultRuntime", "");
  AppendRaw(json, "SecurityOptions", "[]");
  AppendRaw(json, "Labels", "[]");
}

}  // namespace

std::string FormatInfo(const ManagerFacts& facts, ApiVersion client) {
  std::string json = "{";
  AppendJsonField(json, "ID", facts.id);
  AppendJsonField(json, "Containers", facts.totals.containers);
  AppendJsonField(json, "ContainersRunning", facts.totals.running);
  AppendJsonField(json, "ContainersPaused", facts.totals.paused);
  AppendJsonField(json, "ContainersStopped", facts.totals.stopped);
  AppendJsonField(json, "Images", facts.totals.images);
  if (client <= kLastWithDriverStatus) {
    AppendRows(json, "DriverStatus", OldStatusRows(facts));
    AppendRaw(json, "SystemStatus", "null");
  } else {
    AppendRaw(json, "DriverStatus", "[]");
    AppendRows(json, "SystemStatus", StatusRows(facts));
  }
  const Resources machines = WhatThereIs(facts);
  AppendJsonField(json, "NCPU", machines.nano_cpus / kProcessor);
  AppendJsonField(json, "MemTotal", machines.memory);
  AppendJsonField(json, "Name", facts.host_name);
  AppendJsonField(json, "ServerVersion", "swarm/" + facts.version);
  AppendJsonField(json, "OperatingSystem", "linux");
  AppendJsonField(json, "OSType", "linux");
  AppendJsonField(json, "Architecture", MachineName(facts.architecture));
  AppendJsonField(json, "KernelVersion", facts.kernel_version);
  AppendJsonField(json, "SystemTime", FormatTime(facts.now));
  AppendJsonField(json, "NEventsListener", facts.event_listeners);
  AppendJsonField(json, "NFd", 0);
  AppendJsonField(json, "NGoroutines", 0);
  AppendJsonField(json, "ExperimentalBuild", facts.experimental);
  AppendConstants(json);
  AppendJsonKey(json, "Warnings");
  AppendJsonStrings(json, Warnings(facts));
  json.append("}\n");
  return json;
}

std::string FormatVersion(const ManagerFacts& facts) {
  const std::string version = "swarm/" + facts.version;
  std::string details = "{";
  AppendJsonField(details, "ApiVersion", ApiVersionText(facts.newest));
  AppendJsonField(details, "Arch", facts.architecture);
  AppendJsonField(details, "BuildTime", "");
  AppendJsonField(details, "Experimental", facts.experimental ? "true" : "false");
  AppendJsonField(details, "GitCommit", "n/a");
  AppendJsonField(details, "GoVersion", "n/a");
  AppendJsonField(details, "KernelVersion", facts.kernel_version);
  AppendJsonField(details, "MinAPIVersion", ApiVersionText(facts.oldest));
  AppendJsonField(details, "Os", "linux");
  details.push_back('}');

  std::string json = "{";
  AppendRaw(json, "Platform", R"({"Name":"swarm"})");
  AppendJsonKey(json, "Components");
  json.append("[{");
  AppendJsonField(json, "Name", "Engine");
  AppendJsonField(json, "Version", version);
  AppendRaw(json, "Details", details);
  json.append("}]");
  AppendJsonField(json, "Version", version);
  AppendJsonField(json, "ApiVersion", ApiVersionText(facts.newest));
  AppendJsonField(json, "MinAPIVersion", ApiVersionText(facts.oldest));
  AppendJsonField(json, "GitCommit", "n/a");
  AppendJsonField(json, "GoVersion", "n/a");
  AppendJsonField(json, "Os", "linux");
  AppendJsonField(json, "Arch", facts.architecture);
  AppendJsonField(json, "KernelVersion", facts.kernel_version);
  AppendJsonField(json, "BuildTime", "");
  if (facts.experimental) AppendJsonField(json, "Experimental", true);
  json.append("}\n");
  return json;
}

}  // namespace swarm
