#include "api/container_filters.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/upstream.h"
#include "base/text.h"
#include "model/expression.h"
#include "model/names.h"
#include "swarmlib/status.h"
#include "wire/images.h"

namespace swarm {
namespace {

constexpr std::string_view kContainerFilters[] = {
    "ancestor", "before", "exited",  "expose", "health",  "id",    "is-task", "isolation",
    "label",    "name",   "network", "node",   "publish", "since", "status",  "volume"};

absl::Status InvalidFilter(std::string_view key, std::string_view value) {
  return InvalidArgument("invalid filter '" + std::string(key) + "=" + std::string(value) + "'");
}

// A pattern that does not compile matches nothing, as engines have it.
std::vector<PatternMatcher> Compile(const std::vector<std::string>& texts) {
  std::vector<PatternMatcher> patterns;
  for (const std::string& text : texts) {
    Expression expression;
    expression.match = Expression::Match::kRegex;
    expression.value = text;
    patterns.emplace_back(expression);
  }
  return patterns;
}

bool AnyMatches(const std::vector<PatternMatcher>& patterns, std::string_view text) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const PatternMatcher& pattern) { return pattern.Matches(text); });
}

struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  std::string protocol;
};

// "80", "80/udp", "8000-8080/tcp".
std::optional<PortRange> ReadPorts(std::string_view text) {
  PortRange range;
  const std::size_t slash = text.find('/');
  range.protocol =
      slash == std::string_view::npos ? std::string("tcp") : ToLower(text.substr(slash + 1));
  if (range.protocol != "tcp" && range.protocol != "udp" && range.protocol != "sctp")
    return std::nullopt;
  const std::string_view numbers = text.substr(0, slash);
  const std::size_t dash = numbers.find('-');
  const std::optional<std::uint64_t> first = ParseUnsigned(numbers.substr(0, dash));
  const std::optional<std::uint64_t> last =
      dash == std::string_view::npos ? first : ParseUnsigned(numbers.substr(dash + 1));
  if (!first || !last || *first > *last || *last > 65535) return std::nullopt;
  range.first = static_cast<std::uint16_t>(*first);
  range.last = static_cast<std::uint16_t>(*last);
  return range;
}

bool IsAmong(std::uint16_t number, const std::string& protocol,
             const std::vector<PortRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const PortRange& range) {
    return number >= range.first && number <= range.last && protocol == range.protocol;
  });
}

bool ExposesPort(const std::vector<PortBinding>& ports, const std::vector<PortRange>& ranges) {
  return std::any_of(ports.begin(), ports.end(), [&](const PortBinding& port) {
    return IsAmong(port.container_port, port.protocol, ranges);
  });
}

bool PublishesPort(const std::vector<PortBinding>& ports, const std::vector<PortRange>& ranges) {
  return std::any_of(ports.begin(), ports.end(), [&](const PortBinding& port) {
    return IsAmong(port.host_first, port.protocol, ranges);
  });
}

// Place in the list's order: newest first, then node name, then id.
struct Position {
  WallTime created;
  std::string node;
  std::string id;
};

Position PositionOf(const ContainerEntry& entry) {
  return {entry.container.created, entry.node->name, entry.container.id};
}

// Whether `left` stands above `right` in the list.
bool Above(const Position& left, const Position& right) {
  if (left.created != right.created) return left.created > right.created;
  if (left.node != right.node) return left.node < right.node;
  return left.id < right.id;
}

struct Wanted {
  NodePointer node;  // null = any
  std::string name;
};

// Shorter texts are names, or prefixes that nobody writes.
bool IsLikeNetworkId(const Wanted& wanted) {
  constexpr std::size_t kFewestDigits = 12;
  return !wanted.node && wanted.name.size() >= kFewestDigits &&
         wanted.name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

struct ContainerQuery::Parts {
  bool all = false;
  std::size_t limit = 0;
  std::optional<Position> before;  // shown are containers created before this one
  std::optional<Position> since;
  FilterArguments filters;
  std::vector<PatternMatcher> ids, names;
  bool by_id = false, by_name = false;
  std::vector<PortRange> published, exposed;
  std::vector<int> exit_codes;
  std::optional<bool> task;
  std::vector<Wanted> networks, volumes;
  std::vector<std::string> ancestors;     // references, without node
  std::vector<std::string> ancestor_ids;  // of the images they mean

  const std::vector<std::string>* Values(std::string_view key) const {
    const auto found = filters.find(key);
    return found == filters.end() || found->second.empty() ? nullptr : &found->second;
  }

  absl::Status ReadFilters(const Context& context);
  absl::Status ReadWindow(const Context& context, const Query& query);
  void ReadAncestors(const Context& context);
  bool ShowsState(const ContainerEntry& entry) const;
  bool ShowsPlace(const ContainerEntry& entry) const;
  bool ShowsNames(const ContainerEntry& entry) const;
  bool ShowsLabels(const ContainerEntry& entry) const;
  bool ShowsParts(const ContainerEntry& entry) const;
};

std::pair<NodePointer, std::string_view> SplitNode(const Context& context,
                                                   std::string_view reference) {
  const std::size_t slash = reference.find('/');
  if (slash == std::string_view::npos || slash == 0) return {nullptr, reference};
  NodePointer node = context.cluster().FindNode(reference.substr(0, slash));
  if (!node) return {nullptr, reference};
  return {std::move(node), reference.substr(slash + 1)};
}

absl::Status ContainerQuery::Parts::ReadFilters(const Context& context) {
  for (const auto& [key, values] : filters) {
    if (std::find(std::begin(kContainerFilters), std::end(kContainerFilters), key) ==
        std::end(kContainerFilters)) {
      return InvalidArgument("invalid filter '" + key + "'");
    }
    for (const std::string& value : values) {
      if (key == "status") {
        if (!ParseContainerState(value)) return InvalidFilter(key, value);
        all = true;
      } else if (key == "health") {
        if (value != "none" && value != "starting" && value != "healthy" && value != "unhealthy") {
          return InvalidFilter(key, value);
        }
      } else if (key == "exited") {
        int code = 0;
        const auto read = std::from_chars(value.data(), value.data() + value.size(), code);
        if (read.ec != std::errc() || read.ptr != value.data() + value.size())
          return InvalidFilter(key, value);
        exit_codes.push_back(code);
      } else if (key == "is-task") {
        if (value != "true" && value != "false" && value != "1" && value != "0")
          return InvalidFilter(key, value);
        task = value == "true" || value == "1";
      } else if (key == "publish" || key == "expose") {
        const std::optional<PortRange> range = ReadPorts(value);
        if (!range) return InvalidFilter(key, value);
        (key == "publish" ? published : exposed).push_back(*range);
      } else if (key == "network" || key == "volume") {
        auto [node, name] = SplitNode(context, value);
        (key == "network" ? networks : volumes).push_back({std::move(node), std::string(name)});
      } else if (key == "ancestor") {
        ancestors.emplace_back(SplitNode(context, value).second);
      }
    }
  }
  if (const auto* values = Values("id")) ids = Compile(*values), by_id = true;
  if (const auto* values = Values("name")) names = Compile(*values), by_name = true;
  ReadAncestors(context);
  return absl::OkStatus();
}

void ContainerQuery::Parts::ReadAncestors(const Context& context) {
  if (ancestors.empty()) return;
  for (const std::shared_ptr<const ImageEntry>& entry : context.cluster().Images()) {
    for (const std::string& reference : ancestors) {
      if (ImageMatches(entry->image, reference)) ancestor_ids.push_back(entry->image.id);
    }
  }
}

absl::Status ContainerQuery::Parts::ReadWindow(const Context& context, const Query& query) {
  const auto place = [&](std::string_view key, std::optional<Position>& position) -> absl::Status {
    std::string reference;
    const std::string* plain = FindQuery(query, key);
    if (plain != nullptr) reference = *plain;
    if (const auto* values = Values(key)) reference = values->front();
    if (reference.empty()) return absl::OkStatus();
    const absl::StatusOr<ContainerPointer> entry = FindContainer(context, reference);
    if (!entry.ok()) return entry.status();
    position = PositionOf(**entry);
    return absl::OkStatus();
  };
  if (const std::string* text = FindQuery(query, "before"); text != nullptr && !text->empty())
    all = true;
  if (const std::string* text = FindQuery(query, "since"); text != nullptr && !text->empty())
    all = true;
  if (absl::Status status = place("before", before); !status.ok()) return status;
  if (absl::Status status = place("since", since); !status.ok()) return status;
  const std::string* text = FindQuery(query, "limit");
  if (text == nullptr || text->empty()) return absl::OkStatus();
  const bool negative = text->starts_with('-');
  const std::optional<std::uint64_t> number =
      ParseUnsigned(negative ? std::string_view(*text).substr(1) : std::string_view(*text));
  if (!number) {
    return InvalidArgument("strconv.Atoi: parsing \"" + *text +
                           "\": invalid syntax (limit is a number)");
  }
  if (!negative && *number > 0) {
    limit = static_cast<std::size_t>(*number);
    all = true;
  }
  return absl::OkStatus();
}

ContainerQuery::ContainerQuery(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ContainerQuery::~ContainerQuery() = default;
ContainerQuery::ContainerQuery(ContainerQuery&&) noexcept = default;
ContainerQuery& ContainerQuery::operator=(ContainerQuery&&) noexcept = default;

absl::StatusOr<ContainerQuery> ContainerQuery::Read(const Context& context, const Query& query) {
  auto parts = std::make_unique<Parts>();
  if (const std::string* text = FindQuery(query, "all")) parts->all = ParseBoolean(*text);
  const std::string* text = FindQuery(query, "filters");
  absl::StatusOr<FilterArguments> filters =
      ParseFilters(text == nullptr ? std::string_view() : *text);
  if (!filters.ok()) return filters.status();
  parts->filters = *std::move(filters);
  if (absl::Status status = parts->ReadFilters(context); !status.ok()) return status;
  if (absl::Status status = parts->ReadWindow(context, query); !status.ok()) return status;
  return ContainerQuery(std::move(parts));
}

bool ContainerQuery::NamesNetworkIds() const {
  return std::any_of(parts_->networks.begin(), parts_->networks.end(), IsLikeNetworkId);
}

void ContainerQuery::AddCopies(const FoundNetworks& found) {
  std::vector<Wanted> copies;
  const NetworkIndex index(found);
  for (const Wanted& wanted : parts_->networks) {
    if (!IsLikeNetworkId(wanted)) continue;
    const absl::StatusOr<std::vector<NetworkCopy>> matching = index.Match(wanted.name);
    if (!matching.ok()) continue;
    for (const NetworkCopy& copy : *matching) copies.push_back({nullptr, copy.id});
  }
  parts_->networks.insert(parts_->networks.end(), copies.begin(), copies.end());
}

std::size_t ContainerQuery::limit() const { return parts_->limit; }

bool ContainerQuery::IsPlain() const {
  return parts_->filters.empty() && parts_->limit == 0 && !parts_->before && !parts_->since;
}

bool ContainerQuery::all() const { return parts_->all; }

std::optional<ContainerGroups> ContainerQuery::Candidates(const Context& context) const {
  const std::vector<std::string>* const ids = parts_->Values("id");
  if (ids == nullptr || !std::all_of(ids->begin(), ids->end(), IsFullId)) return std::nullopt;
  ContainerGroup group;
  for (const std::string& id : *ids) {
    absl::StatusOr<ContainerPointer> entry = context.cluster().FindContainer(id);
    if (entry.ok() && (*entry)->container.id == id) group.push_back(*std::move(entry));
  }
  std::sort(group.begin(), group.end(),
            [](const ContainerPointer& left, const ContainerPointer& right) {
              return Above(PositionOf(*left), PositionOf(*right));
            });
  group.erase(std::unique(group.begin(), group.end()), group.end());
  ContainerGroups groups;
  if (!group.empty()) groups.push_back(std::make_shared<const ContainerGroup>(std::move(group)));
  return groups;
}

bool ContainerQuery::Shows(const ContainerEntry& entry) const {
  return parts_->ShowsState(entry) && parts_->ShowsPlace(entry) && parts_->ShowsNames(entry) &&
         parts_->ShowsLabels(entry) && parts_->ShowsParts(entry);
}

bool ContainerQuery::Parts::ShowsState(const ContainerEntry& entry) const {
  const Container& container = entry.container;
  const bool running = container.state == ContainerState::kRunning ||
                       container.state == ContainerState::kPaused ||
                       container.state == ContainerState::kRestarting;
  if (!all && (!running || entry.node->state != NodeState::kHealthy)) return false;
  if (const auto* values = Values("status")) {
    const std::string_view name = ContainerStateName(container.state);
    if (std::find(values->begin(), values->end(), name) == values->end()) return false;
  }
  if (const auto* values = Values("health")) {
    const std::string_view health =
        container.has_health ? std::string_view(container.health) : "none";
    if (std::find(values->begin(), values->end(), health) == values->end()) return false;
  }
  if (!exit_codes.empty()) {
    if (running || container.state == ContainerState::kCreated) return false;
    if (std::find(exit_codes.begin(), exit_codes.end(), container.exit_code) == exit_codes.end())
      return false;
  }
  return true;
}

bool ContainerQuery::Parts::ShowsPlace(const ContainerEntry& entry) const {
  if (before || since) {
    const Position position = PositionOf(entry);
    if (before && !Above(*before, position)) return false;
    if (since && !Above(position, *since)) return false;
  }
  const auto* values = Values("node");
  if (values == nullptr) return true;
  return std::any_of(values->begin(), values->end(), [&](const std::string& wanted) {
    return wanted == entry.node->id || GlobMatch(wanted, entry.node->name);
  });
}

bool ContainerQuery::Parts::ShowsNames(const ContainerEntry& entry) const {
  if (by_id && !AnyMatches(ids, entry.container.id)) return false;
  if (!by_name) return true;
  for (const std::string& name : entry.container.names) {
    const std::string with_node = entry.node->name + "/" + name;
    if (AnyMatches(names, name) || AnyMatches(names, "/" + name) || AnyMatches(names, with_node) ||
        AnyMatches(names, "/" + with_node)) {
      return true;
    }
  }
  return false;
}

bool ContainerQuery::Parts::ShowsLabels(const ContainerEntry& entry) const {
  if (task && *task != entry.container.labels.contains("com.docker.swarm.task.id")) return false;
  const auto* values = Values("label");
  if (values == nullptr) return true;
  for (const std::string& wanted : *values) {
    const std::size_t equals = wanted.find('=');
    const auto found = entry.container.labels.find(std::string_view(wanted).substr(0, equals));
    if (found == entry.container.labels.end()) return false;
    if (equals != std::string::npos && found->second != std::string_view(wanted).substr(equals + 1))
      return false;
  }
  return true;
}

bool ContainerQuery::Parts::ShowsParts(const ContainerEntry& entry) const {
  const Container& container = entry.container;
  const auto here = [&](const Wanted& wanted) {
    return !wanted.node || wanted.node->address == container.node;
  };
  const auto holds = [](const std::vector<std::string>& values, const std::string& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
  };
  if (!networks.empty() &&
      std::none_of(networks.begin(), networks.end(), [&](const Wanted& wanted) {
        return here(wanted) &&
               (holds(container.networks, wanted.name) ||
                std::any_of(container.network_ids.begin(), container.network_ids.end(),
                            [&](const std::string& id) { return id.starts_with(wanted.name); }));
      })) {
    return false;
  }
  if (!volumes.empty() && std::none_of(volumes.begin(), volumes.end(), [&](const Wanted& wanted) {
        return here(wanted) && holds(container.volumes, wanted.name);
      })) {
    return false;
  }
  if (!ancestors.empty() && !holds(ancestor_ids, container.image_id) &&
      std::none_of(ancestors.begin(), ancestors.end(), [&](const std::string& reference) {
        return WithDefaultTag(reference) == WithDefaultTag(container.image);
      })) {
    return false;
  }
  if (!published.empty() && !PublishesPort(container.bound_ports, published)) return false;
  return exposed.empty() || ExposesPort(container.exposed_ports, exposed) ||
         ExposesPort(container.bound_ports, exposed) ||
         ExposesPort(container.wanted_ports, exposed);
}

}  // namespace swarm
