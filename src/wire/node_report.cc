#include "wire/node_report.h"

#include <algorithm>

#include "base/text.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

void AppendResources(std::string& json, std::string_view key, const Resources& resources) {
  AppendJsonKey(json, key);
  json.push_back('{');
  AppendJsonField(json, "NanoCpus", resources.nano_cpus);
  AppendJsonField(json, "Memory", resources.memory);
  json.push_back('}');
}

std::int64_t Count(const DrainReport& report, std::string_view outcome) {
  return std::count_if(report.containers.begin(), report.containers.end(),
                       [outcome](const DrainedContainer& one) { return one.outcome == outcome; });
}

}  // namespace

std::string FormatNode(const Node& node, const NodeTotals& totals) {
  std::string json = "{";
  AppendJsonField(json, "Name", node.name);
  AppendJsonField(json, "Id", node.id);
  AppendJsonField(json, "Address", node.address);
  AppendJsonField(json, "Ip", node.ip);
  AppendJsonField(json, "State", ToLower(NodeStateName(node.state)));
  AppendJsonField(json, "Cordoned", node.cordoned);
  AppendJsonField(json, "Error", node.error);
  AppendJsonField(json, "Failures", node.failures);
  AppendJsonKey(json, "Containers");
  json.push_back('{');
  AppendJsonField(json, "Total", totals.containers);
  AppendJsonField(json, "Running", totals.running);
  AppendJsonField(json, "Paused", totals.paused);
  AppendJsonField(json, "Stopped", totals.stopped);
  json.push_back('}');
  AppendResources(json, "Reserved", totals.reserved);
  AppendResources(json, "Resources", node.total);
  AppendResources(json, "Offered", totals.total);
  AppendJsonKey(json, "Labels");
  json.push_back('{');
  for (const auto& [key, value] : node.labels) AppendJsonField(json, key, value);
  json.push_back('}');
  AppendJsonField(json, "EngineVersion", node.engine_version);
  AppendJsonField(json, "ApiVersion", node.api_version);
  AppendJsonField(json, "Os", node.os);
  AppendJsonField(json, "Architecture", node.architecture);
  AppendJsonField(json, "KernelVersion", node.kernel_version);
  AppendJsonField(json, "OperatingSystem", node.operating_system);
  AppendJsonField(json, "UpdatedAt",
                  node.updated_at == WallTime{} ? std::string() : FormatTime(node.updated_at));
  json.push_back('}');
  return json;
}

std::string FormatDrain(const DrainReport& report, const Node& node, const NodeTotals& totals) {
  std::string json = "{\"Node\":" + FormatNode(node, totals);
  AppendJsonField(json, "Policy", report.policy);
  AppendJsonField(json, "Plan", report.is_plan);
  AppendJsonField(json, "Stopped", Count(report, "stopped"));
  AppendJsonField(json, "Moved", Count(report, "moved"));
  AppendJsonField(json, "Left", Count(report, "left"));
  AppendJsonField(json, "Failed", Count(report, "failed"));
  json.append(",\"Containers\":[");
  for (const DrainedContainer& one : report.containers) {
    if (json.back() != '[') json.push_back(',');
    json.push_back('{');
    AppendJsonField(json, "Id", one.id);
    AppendJsonField(json, "Name", one.name);
    AppendJsonField(json, "State", one.state);
    AppendJsonField(json, "Action", one.action);
    AppendJsonField(json, "Outcome", one.outcome);
    AppendJsonField(json, "Reason", one.reason);
    json.push_back('}');
  }
  return json + "]}\n";
}

}  // namespace swarm
