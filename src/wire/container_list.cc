#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "model/address.h"
#include "model/names.h"
#include "swarmlib/status.h"
#include "wire/container_parts.h"
#include "wire/containers.h"
#include "wire/host_config.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

// Engines below API 1.23 give no State: their words tell it.
ContainerState StateOfStatus(std::string_view status) {
  if (status.starts_with("Up")) {
    return status.ends_with("(Paused)") ? ContainerState::kPaused : ContainerState::kRunning;
  }
  if (status.starts_with("Restarting")) return ContainerState::kRestarting;
  if (status.starts_with("Removal")) return ContainerState::kRemoving;
  if (status.starts_with("Dead")) return ContainerState::kDead;
  if (status.starts_with("Exited")) return ContainerState::kExited;
  return ContainerState::kCreated;
}

void ReadStatus(std::string_view status, Container& container) {
  const std::size_t open = status.find('(');
  if (open == std::string_view::npos) return;
  const std::string_view inside = status.substr(open + 1);
  if (status.starts_with("Exited") || status.starts_with("Restarting")) {
    std::from_chars(inside.data(), inside.data() + inside.size(), container.exit_code);
    return;
  }
  static constexpr std::pair<std::string_view, const char*> kWords[] = {
      {"healthy)", "healthy"}, {"unhealthy)", "unhealthy"}, {"health: starting)", "starting"}};
  for (const auto& [word, health] : kWords) {
    if (inside != word) continue;
    container.has_health = true;
    container.health = health;
  }
}

// Its own name is the one without an inner slash; the rest are aliases that links of others gave
// it.
void ReadNames(JsonValue names, Container& container) {
  names.ForEachElement([&container](JsonValue name) {
    std::string text = name.text();
    if (text.starts_with('/')) text.erase(0, 1);
    if (!text.empty()) container.names.push_back(std::move(text));
  });
  std::stable_partition(
      container.names.begin(), container.names.end(),
      [](const std::string& name) { return name.find('/') == std::string::npos; });
}

std::string ShownNames(const Container& container, std::string_view node, NameStyle style) {
  std::vector<std::string> shown;
  const std::string prefix = "/" + std::string(node) + "/";
  for (const std::string& name : container.names) {
    const bool is_own = &name == &container.names.front();
    if (style == NameStyle::kPlain || (style == NameStyle::kBoth && is_own))
      shown.push_back("/" + name);
    if (style != NameStyle::kPlain) shown.push_back(prefix + name);
  }
  std::string json;
  AppendJsonStrings(json, shown);
  return json;
}

void ReadPorts(JsonValue ports, Container& container) {
  PortSet bound(container.bound_ports);
  PortSet exposed(container.exposed_ports);
  ports.ForEachElement([&bound, &exposed](JsonValue entry) {
    PortBinding port;
    const auto number = [&entry](std::string_view key) {
      const std::int64_t value = entry.Find(key).integer().value_or(0);
      return static_cast<std::uint16_t>(value > 0 && value <= 65'535 ? value : 0);
    };
    port.container_port = number("PrivatePort");
    port.host_first = port.host_last = number("PublicPort");
    if (const std::string type = entry.Find("Type").text(); !type.empty()) port.protocol = type;
    const std::string ip = CanonicalAddress(entry.Find("IP").text());
    if (!IsEveryAddress(ip)) port.host_ip = ip;
    const bool is_bound = port.host_first != 0;
    if (!is_bound) port.host_first = port.host_last = port.container_port;
    (is_bound ? bound : exposed).Add(std::move(port));
  });
}

// Reads one row and writes it anew: the bytes of `body` with the few places edited that differ in a
// cluster.
class RowReader {
 public:
  RowReader(std::string_view body, const Node& node, NameStyle style)
      : body_(body), node_(node), style_(style) {}

  absl::StatusOr<ContainerRecord> Read(JsonValue row) {
    if (!row.is(Kind::kObject))
      return InvalidArgument("is " + std::string(JsonKindName(row.kind())));
    ContainerRecord record;
    record.container.node = node_.address;
    absl::Status wrong;
    row.ForEachMember([&](JsonValue key, JsonValue value) {
      if (absl::Status read = ReadMember(key, value, record.container); !read.ok()) wrong = read;
    });
    if (!wrong.ok()) return wrong;
    if (record.container.id.empty()) return InvalidArgument("has no Id");
    Finish(record.container);
    Write(row, record);
    return record;
  }

 private:
  absl::Status ReadMember(JsonValue key, JsonValue value, Container& container) {
    const std::string_view raw = key.raw();
    const std::string_view name = raw.substr(1, raw.size() - 2);
    if (value.is(Kind::kNull)) {
      if (name == "Names") names_ = value;
      return absl::OkStatus();
    }
    const auto want = [&](Kind kind) {
      return value.is(kind) ? absl::OkStatus()
                            : InvalidArgument("has " + std::string(JsonKindName(value.kind())) +
                                              " as " + std::string(name));
    };
    if (name == "Id") return container.id = value.text(), want(Kind::kString);
    if (name == "Names") return names_ = value, ReadNames(value, container), want(Kind::kArray);
    if (name == "Image") return container.image = value.text(), want(Kind::kString);
    if (name == "ImageID") return container.image_id = value.text(), want(Kind::kString);
    if (name == "Command") return container.command = value.text(), want(Kind::kString);
    if (name == "State") return state_ = value.text(), want(Kind::kString);
    if (name == "Status") return status_ = value, want(Kind::kString);
    if (name == "Ports") return ports_ = value, ReadPorts(value, container), want(Kind::kArray);
    if (name == "Created") {
      container.created = TimeOfSeconds(value.integer().value_or(0));
      return want(Kind::kNumber);
    }
    if (name == "Labels") {
      value.ForEachMember([&container](JsonValue label, JsonValue text) {
        container.labels[label.text()] = text.text();
      });
      return want(Kind::kObject);
    }
    if (name == "Node") node_value_ = value;
    if (name == "HostConfig") container.network_mode = value.Find("NetworkMode").text();
    if (name == "NetworkSettings") AddNetworks(value.Find("Networks"), container);
    if (name == "Mounts") AddMounts(value, container);
    return absl::OkStatus();
  }

  void Finish(Container& container) const {
    const std::string status = status_.text();
    container.state = ParseContainerState(state_).value_or(StateOfStatus(status));
    ReadStatus(status, container);
    container.swarm_id = SwarmIdOf(container.labels);
  }

  void Write(JsonValue row, ContainerRecord& record) const {
    TextEdits edits;
    if (names_)
      edits.Replace(names_.begin(), names_.end(), ShownNames(record.container, node_.name, style_));
    if (ports_)
      edits.Replace(ports_.begin(), ports_.end(), PortsWithAddress(body_, ports_, "IP", node_.ip));
    if (node_value_) {
      edits.Replace(node_value_.begin(), node_value_.end(), JsonString(node_.name));
    } else {
      edits.AddMember(row, "\"Node\":" + JsonString(node_.name));
    }
    if (status_) {
      record.row.head = edits.Apply(body_, row.begin(), status_.begin());
      record.row.tail = edits.Apply(body_, status_.end(), row.end());
    } else {
      record.row.head = edits.Apply(body_, row.begin(), row.end() - 1) + ",\"Status\":";
      record.row.tail = "}";
    }
  }

  std::string_view body_;
  const Node& node_;
  NameStyle style_;
  JsonValue names_, ports_, status_, node_value_;
  std::string state_;
};

std::size_t SkipBlanks(std::string_view text, std::size_t at) {
  const std::size_t next = text.find_first_not_of(" \t\r\n", at);
  return next == std::string_view::npos ? text.size() : next;
}

}  // namespace

absl::Status ContainerListReader::BadRow(std::string_view why) const {
  return InvalidArgument("the container list of " + node_.address + " cannot be read: row " +
                         std::to_string(row_) + " " + std::string(why));
}

absl::Status ContainerListReader::Begin() {
  at_ = SkipBlanks(body_, 0);
  done_ = body_.substr(at_, 4) == "null" && SkipBlanks(body_, at_ + 4) == body_.size();
  if (done_) return absl::OkStatus();
  if (at_ >= body_.size() || body_[at_] != '[')
    return InvalidArgument("the container list of " + node_.address + " is not a JSON array");
  at_ = SkipBlanks(body_, at_ + 1);
  return absl::OkStatus();
}

// The row at `at_`, or the end of the list.
absl::Status ContainerListReader::ReadRow(std::vector<ContainerRecord>& records) {
  const bool is_end = at_ >= body_.size() || body_[at_] == ']';
  done_ = at_ < body_.size() && is_end && SkipBlanks(body_, at_ + 1) == body_.size();
  if (done_) return absl::OkStatus();
  if (is_end || (row_ > 0 && body_[at_] != ','))
    return BadRow("is cut short or followed by something else");
  if (row_ > 0) ++at_;
  const absl::StatusOr<std::size_t> end = document_.ParseAt(body_, at_);
  if (!end.ok()) return BadRow(MessageOf(end.status()));
  absl::StatusOr<ContainerRecord> record = RowReader(body_, node_, style_).Read(document_.root());
  if (!record.ok()) return BadRow(MessageOf(record.status()));
  if (IsFullId(record->container.id)) {
    records.push_back(*std::move(record));
  } else {
    skipped_.push_back(ShortQuoted(record->container.id));
  }
  ++row_;
  at_ = *end;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ContainerRecord>> ContainerListReader::Next(std::size_t most_rows,
                                                                       std::size_t most_bytes) {
  std::vector<ContainerRecord> records;
  absl::Status read;
  if (at_ == 0) read = Begin();
  const std::size_t from = at_;
  for (std::size_t rows = 0; read.ok() && !done_; ++rows) {
    if (rows == most_rows || at_ - from >= most_bytes) break;
    read = ReadRow(records);
  }
  if (!read.ok()) return read;
  return records;
}

absl::StatusOr<std::vector<ContainerRecord>> ParseContainerList(std::string_view body,
                                                                const Node& node, NameStyle style,
                                                                std::vector<std::string>* skipped) {
  ContainerListReader reader(body, node, style);
  absl::StatusOr<std::vector<ContainerRecord>> records =
      reader.Next(body.size() + 1, body.size() + 1);
  if (records.ok() && skipped != nullptr)
    skipped->insert(skipped->end(), reader.skipped().begin(), reader.skipped().end());
  return records;
}

}  // namespace swarm
