#include "wire/engine.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <optional>

#include "swarmlib/status.h"
#include "wire/api_version.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

constexpr ApiVersion kOldestEngine{1, 12};

absl::Status NotAnEngine(const Node& node, std::string_view why) {
  return FailedPrecondition(node.address + " is not a Docker engine: " + std::string(why));
}

bool HoldsControlBytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

// What an engine says of itself stands in heads, logs and terminals: there a line end would begin
// something that nobody said.
absl::Status CheckPlain(JsonValue answer, std::initializer_list<std::string_view> keys,
                        const Node& node) {
  for (const std::string_view key : keys) {
    const std::string text = answer.Find(key).text();
    if (!HoldsControlBytes(text)) continue;
    return FailedPrecondition("the engine at " + node.address + " gives as its " +
                              std::string(key) + " " + ShortQuoted(text) +
                              ", which holds control bytes; correct it on that host and restart "
                              "the engine, or see who answers there");
  }
  return absl::OkStatus();
}

absl::StatusOr<Labels> EngineLabels(JsonValue info, const Node& node,
                                    std::vector<std::string>* dropped) {
  Labels labels;
  absl::Status wrong;
  info.Find("Labels").ForEachElement([&](JsonValue element) {
    const std::string text = element.text();
    if (HoldsControlBytes(text)) {
      if (dropped != nullptr) dropped->push_back(ShortQuoted(text));
      return;
    }
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      wrong =
          FailedPrecondition("the engine at " + node.address + " has the label \"" + text +
                             "\", which is not of the form key=value; correct it in the engine's "
                             "configuration and restart the engine");
      return;
    }
    labels[text.substr(0, equals)] = text.substr(equals + 1);
  });
  if (!wrong.ok()) return wrong;
  return labels;
}

// Whole seconds: less is the time that the answer took.
Duration OffsetOf(std::string_view system_time, WallTime now) {
  const std::optional<WallTime> theirs = ParseTime(system_time);
  if (!theirs || *theirs == WallTime{} || now == WallTime{}) return {};
  const auto to_seconds = [](WallTime time) {
    return std::chrono::round<std::chrono::seconds>(time.time_since_epoch());
  };
  const std::chrono::seconds offset = to_seconds(*theirs) - to_seconds(now);
  constexpr std::chrono::hours kMost(24 * 365 * 100);  // what is added to a time must fit
  return offset > kMost || offset < -kMost ? Duration{} : Duration{offset};
}

}  // namespace

absl::Status ApplyInfo(std::string_view body, WallTime now, Node& node,
                       std::vector<std::string>* dropped_labels) {
  JsonDocument document;
  if (!document.Parse(body).ok() || !document.root().is(Kind::kObject)) {
    return NotAnEngine(node, "its /info is not a JSON object");
  }
  const JsonValue info = document.root();
  const std::string id = info.Find("ID").text();
  const std::int64_t processors = info.Find("NCPU").integer().value_or(0);
  const std::int64_t memory = info.Find("MemTotal").integer().value_or(0);
  if (info.Find("ServerVersion").text().starts_with("swarm/")) {
    return NotAnEngine(node, "it is a cluster manager; give the addresses of its engines instead");
  }
  if (id.empty()) return NotAnEngine(node, "its /info has no ID");
  // More than any machine has, so that what is computed of them fits.
  constexpr std::int64_t kMostProcessors = 1 << 20;
  constexpr std::int64_t kMostMemory = std::int64_t{1} << 50;
  if (processors > kMostProcessors || memory > kMostMemory) {
    return NotAnEngine(node, "its /info shows " + std::to_string(processors) + " processors and " +
                                 std::to_string(memory) + " bytes of memory");
  }
  if (processors <= 0 || memory <= 0) {
    return NotAnEngine(node,
                       "its /info shows no processors or no memory; is it a cluster manager?");
  }
  absl::Status plain = CheckPlain(
      info,
      {"ID", "Name", "OSType", "Architecture", "KernelVersion", "OperatingSystem", "ServerVersion"},
      node);
  if (!plain.ok()) return plain;
  absl::StatusOr<Labels> own = EngineLabels(info, node, dropped_labels);
  if (!own.ok()) return own.status();

  node.id = id;
  node.name = info.Find("Name").text();
  if (node.name.empty()) node.name = node.address;
  node.clock_offset = OffsetOf(info.Find("SystemTime").text(), now);
  node.total = {processors * 1'000'000'000, memory};
  node.os = info.Find("OSType").text();
  if (node.os.empty()) node.os = "linux";
  node.architecture = info.Find("Architecture").text();
  node.kernel_version = info.Find("KernelVersion").text();
  node.operating_system = info.Find("OperatingSystem").text();
  if (const std::string version = info.Find("ServerVersion").text(); !version.empty()) {
    node.engine_version = version;
  }
  node.labels = std::move(*own);
  node.labels.erase("node");
  const auto standard = [&](const char* key, const std::string& value) {
    if (!HoldsControlBytes(value)) {
      if (!value.empty()) node.labels[key] = value;
    } else if (dropped_labels != nullptr) {
      dropped_labels->push_back(ShortQuoted(key + ("=" + value)));
    }
  };
  standard("storagedriver", info.Find("Driver").text());
  standard("executiondriver", info.Find("ExecutionDriver").text());
  standard("kernelversion", node.kernel_version);
  standard("operatingsystem", node.operating_system);
  standard("ostype", node.os);
  return absl::OkStatus();
}

std::optional<std::int64_t> EngineClock(std::string_view info) {
  JsonDocument document;
  if (!document.Parse(info).ok()) return std::nullopt;
  const std::optional<WallTime> time = ParseTime(document.root().Find("SystemTime").text());
  if (!time || *time == WallTime{}) return std::nullopt;
  return time->time_since_epoch().count();
}

absl::Status ApplyVersion(std::string_view body, Node& node) {
  JsonDocument document;
  if (!document.Parse(body).ok() || !document.root().is(Kind::kObject)) {
    return NotAnEngine(node, "its /version is not a JSON object");
  }
  absl::Status plain =
      CheckPlain(document.root(), {"Version", "ApiVersion", "MinAPIVersion"}, node);
  if (!plain.ok()) return plain;
  const std::string api = document.root().Find("ApiVersion").text();
  const std::optional<ApiVersion> newest = ParseApiVersion(api);
  if (!newest) return NotAnEngine(node, "its /version has no ApiVersion");
  const std::string engine = document.root().Find("Version").text();
  if (*newest < kOldestEngine) {
    return FailedPrecondition("the engine at " + node.address + " is too old: version " + engine +
                              " speaks API " + api + ", at least " + ApiVersionText(kOldestEngine) +
                              " is needed");
  }
  node.engine_version = engine;
  node.api_version = api;
  const std::string oldest = document.root().Find("MinAPIVersion").text();
  node.min_api_version = ParseApiVersion(oldest) ? oldest : ApiVersionText(kOldestEngine);
  return absl::OkStatus();
}

}  // namespace swarm
