#include "node_command.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "swarmlib/client.h"
#include "swarmlib/status.h"

namespace swarmd {
namespace {

namespace json = boost::json;

constexpr auto kLongestDrain = std::chrono::hours(24);
constexpr std::size_t kMostAnswerBytes = 256U << 20U;
constexpr double kNanosACpu = 1e9;

std::string Encoded(const std::string& text) {
  std::string encoded;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '-' || letter == '.' ||
                       letter == '_' || letter == '~' || letter == ':';
    if (plain) {
      encoded.push_back(letter);
      continue;
    }
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%%%02X", byte);
    encoded.append(digits.data());
  }
  return encoded;
}

const json::value* Member(const json::value& object, const char* key) {
  return object.is_object() ? object.get_object().if_contains(key) : nullptr;
}

std::string Text(const json::value& object, const char* key) {
  const json::value* const value = Member(object, key);
  return value != nullptr && value->is_string() ? std::string(value->get_string().c_str())
                                                : std::string();
}

std::int64_t Number(const json::value& object, const char* key) {
  const json::value* const value = Member(object, key);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

bool Flag(const json::value& object, const char* key) {
  const json::value* const value = Member(object, key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::string Cpus(const json::value& resources) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g",
                static_cast<double>(Number(resources, "NanoCpus")) / kNanosACpu);
  return text.data();
}

std::string Memory(const json::value& resources) {
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(Number(resources, "Memory"));
  std::size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kUnits.size()) amount /= 1024, ++unit;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g %s", amount, kUnits[unit]);
  return text.data();
}

std::string NameOf(const json::value& node) {
  const std::string name = Text(node, "Name");
  return name.empty() ? Text(node, "Address") : name;
}

std::string Table(const json::array& nodes) {
  using Row = std::array<std::string, 7>;
  std::vector<Row> rows = {
      Row{"NAME", "ADDRESS", "STATE", "CONTAINERS", "CPUS", "MEMORY", "ENGINE"}};
  const json::value none;
  for (const json::value& node : nodes) {
    const auto part = [&node, &none](const char* key) -> const json::value& {
      const json::value* const value = Member(node, key);
      return value == nullptr ? none : *value;
    };
    rows.push_back(Row{Text(node, "Name"), Text(node, "Address"),
                       Text(node, "State") + (Flag(node, "Cordoned") ? ", cordoned" : ""),
                       std::to_string(Number(part("Containers"), "Total")) + " (" +
                           std::to_string(Number(part("Containers"), "Running")) + " running)",
                       Cpus(part("Reserved")) + " / " + Cpus(part("Offered")),
                       Memory(part("Reserved")) + " / " + Memory(part("Offered")),
                       Text(node, "EngineVersion")});
  }
  std::array<std::size_t, 7> width{};
  for (const Row& row : rows) {
    for (std::size_t at = 0; at < row.size(); ++at) width[at] = std::max(width[at], row[at].size());
  }
  std::string table;
  for (const Row& row : rows) {
    for (std::size_t at = 0; at < row.size(); ++at) {
      table += row[at];
      if (at + 1 < row.size()) table.append(width[at] - row[at].size() + 2, ' ');
    }
    table += '\n';
  }
  return table;
}

std::string DrainText(const json::value& report, const std::string& node) {
  const bool plan = Flag(report, "Plan");
  std::string text;
  const json::value* const containers = Member(report, "Containers");
  if (containers != nullptr && containers->is_array()) {
    for (const json::value& one : containers->get_array()) {
      const std::string reason = Text(one, "Reason");
      text += plan ? Text(one, "Action") : Text(one, "Outcome");
      text += " " + Text(one, "Name") + " (" + Text(one, "State") + ", " +
              Text(one, "Id").substr(0, 12) + ")";
      text += reason.empty() ? "\n" : ": " + reason + "\n";
    }
  }
  if (plan) return text + node + " would be cordoned; nothing was done\n";
  return text + node + " is cordoned: it gets no new containers; " +
         std::to_string(Number(report, "Stopped")) + " stopped, " +
         (Number(report, "Moved") > 0 ? std::to_string(Number(report, "Moved")) + " moved, " : "") +
         std::to_string(Number(report, "Left")) + " left, " +
         std::to_string(Number(report, "Failed")) + " failed\n";
}

swarm::Request RequestOf(const NodeCommand& command) {
  swarm::Request request;
  request.method = command.verb == "ls" || command.verb == "inspect" ? "GET" : "POST";
  request.target = "/swarmd/v1/nodes";
  if (command.verb == "ls") return request;
  request.target += "/" + Encoded(command.node);
  if (command.verb == "inspect") return request;
  request.target += "/" + command.verb;
  if (command.verb != "drain") return request;
  request.target += "?policy=" + Encoded(command.policy);
  if (command.plan) request.target += "&plan=1";
  if (!command.stop_time.empty()) request.target += "&t=" + Encoded(command.stop_time);
  return request;
}

int Fail(const std::string& message, int exit_code) {
  std::fprintf(stderr, "swarmd: node %s\n", message.c_str());
  return exit_code;
}

}  // namespace

absl::StatusOr<std::string> NodeText(const NodeCommand& command, const std::string& answer) {
  boost::system::error_code wrong;
  const json::value value = json::parse(answer, wrong);
  const bool fits = command.verb == "ls" ? value.is_array() : value.is_object();
  if (wrong || !fits) return swarm::InvalidArgument("the answer is none of a manager");
  if (command.verb == "ls") return Table(value.get_array());
  if (command.verb == "inspect") return answer;
  if (command.verb == "drain") {
    const json::value* const node = Member(value, "Node");
    return DrainText(value, node == nullptr ? command.node : NameOf(*node));
  }
  return NameOf(value) + (command.verb == "cordon" ? " is cordoned: it gets no new containers\n"
                                                   : " gets new containers again\n");
}

int RunNode(const NodeCommand& command) {
  swarm::CallOptions options;
  options.timeout = command.timeout;
  if (command.verb == "drain" && !command.plan) options.timeout = kLongestDrain;
  options.max_body = kMostAnswerBytes;
  const absl::StatusOr<swarm::Reply> reply =
      swarm::CallOnce(command.manager, command.tls, RequestOf(command), std::move(options));
  const std::string what = command.verb + ": " + command.manager + ": ";
  if (!reply.ok()) {
    const bool asked_wrongly = reply.status().code() == absl::StatusCode::kInvalidArgument;
    return Fail(what + std::string(swarm::MessageOf(reply.status())), asked_wrongly ? 2 : 1);
  }
  if (reply->status != 200) {
    boost::system::error_code wrong;
    const json::value error = json::parse(reply->body, wrong);
    const std::string message = wrong ? reply->body : Text(error, "message");
    return Fail(what + (message.empty() ? "status " + std::to_string(reply->status) : message), 1);
  }
  const absl::StatusOr<std::string> text = NodeText(command, reply->body);
  if (!text.ok()) return Fail(what + std::string(swarm::MessageOf(text.status())), 1);
  std::fputs(text->c_str(), stdout);
  boost::system::error_code wrong;
  const json::value value = json::parse(reply->body, wrong);
  return command.verb == "drain" && Number(value, "Failed") > 0 ? 1 : 0;
}

}  // namespace swarmd
