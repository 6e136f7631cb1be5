#include "unit/core/independent_model.h"

#include <algorithm>
#include <regex>
#include <string_view>
#include <tuple>

namespace swarm {
namespace {

std::vector<std::string> CutAt(const std::string& text, char mark) {
  std::vector<std::string> parts(1);
  for (const char letter : text) {
    if (letter == mark) {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

// "*" stands for any text.
bool GlobFits(std::string_view glob, std::string_view text) {
  if (glob.empty()) return text.empty();
  if (glob.front() != '*')
    return !text.empty() && glob.front() == text.front() &&
           GlobFits(glob.substr(1), text.substr(1));
  return GlobFits(glob.substr(1), text) || (!text.empty() && GlobFits(glob, text.substr(1)));
}

std::string Lower(std::string text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

bool IsWildcard(const std::string& address) {
  return address.empty() || address == "0.0.0.0" || address == "::";
}

bool IsOneOf(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

bool Begins(const std::string& text, const std::string& begin) {
  return text.substr(0, begin.size()) == begin;
}

// As `docker ps` and its neighbours understand a reference; the first meaning that is known counts.
std::vector<const PlainNode*> HoldersOf(const std::vector<const PlainNode*>& nodes,
                                        const std::string& reference) {
  const std::string name = Begins(reference, "/") ? reference.substr(1) : reference;
  const bool is_short = reference.size() == 12;
  for (int meaning = 0; meaning < 7; ++meaning) {
    std::vector<const PlainNode*> holders;
    for (const PlainNode* node : nodes) {
      for (const Container& container : node->held) {
        const bool made = !container.id.empty();
        const Node& on = node->description;
        bool meant = false;
        if (meaning == 0) meant = !made && IsOneOf(container.names, name);
        if (meaning == 1) meant = made && container.id == reference;
        if (meaning == 2) meant = made && is_short && Begins(container.id, reference);
        if (meaning == 3)
          meant = made && (container.swarm_id == reference ||
                           (is_short && Begins(container.swarm_id, reference)));
        if (meaning == 4) meant = made && IsOneOf(container.names, name);
        if (meaning == 5) {
          for (const std::string& own : container.names) {
            meant = meant || (made && (name == on.name + "/" + own || name == on.id + "/" + own ||
                                       name == on.address + "/" + own));
          }
        }
        if (meaning == 6) meant = made && !reference.empty() && Begins(container.id, reference);
        if (meant) holders.push_back(node);
      }
    }
    const bool must_be_one = meaning == 2 || meaning == 6;
    if (must_be_one && holders.size() > 1) return {};
    if (!holders.empty()) return holders;
  }
  return {};
}

std::string DockersWord(const std::string& machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  return machine;
}

bool PlatformFits(const std::string& platform, const Node& node) {
  for (const std::string& part : CutAt(platform, '/')) {
    if (part != node.os && part != DockersWord(node.architecture)) return false;
  }
  return true;
}

// In percent of `total` with what is asked; nothing asked counts as a whole.
std::optional<std::int64_t> ShareOf(std::int64_t reserved, std::int64_t asked, std::int64_t total) {
  if (asked == 0) return 100;
  if (asked > total) return std::nullopt;
  const auto percent =
      static_cast<std::int64_t>(static_cast<__int128>(reserved + asked) * 100 / total);
  return percent > 100 ? std::nullopt : std::optional<std::int64_t>(percent);
}

}  // namespace

// "key==value", "key!=value", "key=value" and "key=!value", read again from what was written.
struct IndependentModel::Wish {
  Wish(const std::string& text, bool case_matters) {
    const std::size_t at = text.find_first_of("=!");
    key = text.substr(0, at);
    const bool posts = text[at] == '=' && text[at + 1] != '=';
    pattern = text.substr(at + (posts ? 1 : 2));
    equal = text[at] == '=';
    if (posts && pattern.front() == '!') {
      equal = false;
      pattern.erase(0, 1);
    }
    any_case = posts && !case_matters;
    while (pattern.front() == '~') {
      soft = true;
      pattern.erase(0, 1);
    }
    // Docker shows names with a slash, so people write them with one.
    if (key == "container" && pattern.size() > 1 && pattern.front() == '/' && pattern.back() != '/')
      pattern.erase(0, 1);
    is_regex = pattern.size() > 1 && pattern.front() == '/' && pattern.back() == '/';
    if (!is_regex) return;
    const auto letters = any_case ? std::regex::icase : std::regex::flag_type{};
    regex = std::regex(pattern.substr(1, pattern.size() - 2), std::regex::ECMAScript | letters);
  }

  bool Fits(const std::string& text) const {
    if (is_regex) return std::regex_search(text, regex);
    return any_case ? GlobFits(Lower(pattern), Lower(text)) : GlobFits(pattern, text);
  }

  std::string key;
  std::string pattern;
  bool equal = true;
  bool soft = false;
  bool any_case = false;
  bool is_regex = false;
  std::regex regex;
};

// What is asked, with its expressions read.
struct IndependentModel::Wishes {
  Wishes(const ContainerSpec& asked, bool case_matters) : spec(asked) {
    for (const Expression& written : spec.constraints)
      constraints.emplace_back(written.text, case_matters);
    for (const Expression& written : spec.affinities)
      affinities.emplace_back(written.text, case_matters);
  }

  bool HasSoft() const {
    const auto is_soft = [](const Wish& wish) { return wish.soft; };
    return std::any_of(constraints.begin(), constraints.end(), is_soft) ||
           std::any_of(affinities.begin(), affinities.end(), is_soft);
  }

  const ContainerSpec& spec;
  std::vector<Wish> constraints;
  std::vector<Wish> affinities;
};

bool IndependentModel::ConstraintHolds(const Wish& wish, const Node& node) const {
  if (wish.key == "node") {
    const bool by_id = !Has(Flaw::kNoNodeId) && wish.Fits(node.id);
    return (wish.Fits(node.name) || by_id) == wish.equal;
  }
  const auto label = node.labels.find(wish.key);
  return wish.Fits(label == node.labels.end() ? "" : label->second) == wish.equal;
}

bool IndependentModel::AffinityHolds(const Wish& wish, const PlainNode& node) const {
  std::vector<std::string> texts;
  if (wish.key == "image") {
    for (const Image& image : node.image_list) {
      const std::string digits = image.id.substr(std::string("sha256:").size());
      texts.insert(texts.end(), {image.id, digits, digits.substr(0, 12)});
      for (const std::string& tag : image.repo_tags) {
        texts.push_back(tag);
        texts.push_back(tag.substr(0, tag.rfind(':')));
      }
    }
    if (Has(Flaw::kNoImages)) texts.clear();
  } else if (wish.key == "container") {
    for (const Container& container : node.held) {
      texts.push_back(container.names.front());
      if (container.id.empty()) continue;
      texts.push_back(container.id);
      texts.push_back(container.id.substr(0, 12));
    }
  } else {
    for (const Container& container : node.held) {
      const auto label = container.labels.find(wish.key);
      texts.push_back(label == container.labels.end() ? "" : label->second);
    }
  }
  const bool found = std::any_of(texts.begin(), texts.end(),
                                 [&wish](const std::string& text) { return wish.Fits(text); });
  return found == wish.equal;
}

std::vector<PortBinding> IndependentModel::PortsOf(const Container& container) const {
  using State = ContainerState;
  const bool stopped = container.state == State::kExited || container.state == State::kDead ||
                       container.state == State::kRemoving;
  if (stopped && !Has(Flaw::kStoppedPorts)) return {};
  std::vector<PortBinding> ports;
  if (container.network_mode == "host") {
    for (PortBinding port : container.exposed_ports) {
      port.host_ip = "";
      port.host_first = port.host_last = port.container_port;
      ports.push_back(port);
    }
    return ports;
  }
  const bool bound = !stopped && container.state != State::kCreated;
  for (const PortBinding& port : bound ? container.bound_ports : container.wanted_ports) {
    if (port.host_first != 0) ports.push_back(port);
  }
  return ports;
}

bool IndependentModel::Clash(const PortBinding& one, const PortBinding& other) const {
  const bool meet = one.host_ip == other.host_ip || IsWildcard(one.host_ip) ||
                    IsWildcard(other.host_ip) || Has(Flaw::kOneAddress);
  return one.host_first == other.host_first && one.protocol == other.protocol && meet;
}

// Ranges are served by their last port, each with its lowest port that is not taken.
std::size_t IndependentModel::Unserved(std::vector<PortBinding> ranges,
                                       std::vector<PortBinding> taken) const {
  std::sort(ranges.begin(), ranges.end(), [](const PortBinding& one, const PortBinding& other) {
    return std::tie(one.host_last, one.host_first, one.protocol, one.host_ip) <
           std::tie(other.host_last, other.host_first, other.protocol, other.host_ip);
  });
  std::size_t unserved = 0;
  for (const PortBinding& range : ranges) {
    bool served = false;
    for (int number = range.host_first; number <= range.host_last && !served; ++number) {
      PortBinding port = range;
      port.host_first = port.host_last = static_cast<std::uint16_t>(number);
      served = std::none_of(taken.begin(), taken.end(),
                            [&](const PortBinding& other) { return Clash(port, other); });
      if (served) taken.push_back(port);
    }
    if (!served) ++unserved;
  }
  return unserved;
}

bool IndependentModel::PortsAreFree(const PlainNode& node, const ContainerSpec& spec) const {
  Container wanted;
  wanted.network_mode = spec.host_network ? "host" : "";
  wanted.wanted_ports = spec.ports;
  wanted.exposed_ports = spec.exposed;
  std::vector<PortBinding> held;
  for (const Container& container : node.held) {
    for (const PortBinding& port : PortsOf(container)) held.push_back(port);
  }
  for (const auto& [ticket, hold] : node.holds)
    held.insert(held.end(), hold.ports.begin(), hold.ports.end());
  const auto is_range = [](const PortBinding& port) { return port.host_first < port.host_last; };
  std::vector<PortBinding> singles, ranges, new_singles, new_ranges;
  for (const PortBinding& port : held) (is_range(port) ? ranges : singles).push_back(port);
  for (const PortBinding& port : PortsOf(wanted))
    (is_range(port) ? new_ranges : new_singles).push_back(port);
  if (new_singles.empty() && new_ranges.empty()) return true;
  for (const PortBinding& asked : new_singles) {
    for (const PortBinding& port : singles) {
      if (Clash(asked, port)) return false;
    }
  }
  if (Has(Flaw::kNoRanges)) return true;
  const std::size_t before = Unserved(ranges, singles);
  singles.insert(singles.end(), new_singles.begin(), new_singles.end());
  ranges.insert(ranges.end(), new_ranges.begin(), new_ranges.end());
  return Unserved(ranges, singles) <= before;
}

bool IndependentModel::SlotIsFree(const PlainNode& node) const {
  const auto label = node.description.labels.find("containerslots");
  if (label == node.description.labels.end()) return true;
  const std::string& limit = label->second;
  if (limit.empty() || limit.find_first_not_of("0123456789") != std::string::npos) return true;
  return node.held.size() < std::stoul(limit);
}

bool IndependentModel::Fits(const Nodes& nodes, const PlainNode& node, const Wishes& wishes,
                            bool soft) const {
  const Node& on = node.description;
  const ContainerSpec& spec = wishes.spec;
  if (on.state != NodeState::kHealthy || on.cordoned) return false;
  if (!Has(Flaw::kNoPorts) && !PortsAreFree(node, spec)) return false;
  if (!Has(Flaw::kNoSlots) && !SlotIsFree(node)) return false;
  if (!Has(Flaw::kNoDependencies)) {
    for (const auto* references : {&spec.volumes_from, &spec.links, &spec.joined}) {
      for (const std::string& reference : *references) {
        const Nodes holders = HoldersOf(nodes, reference);
        if (std::find(holders.begin(), holders.end(), &node) == holders.end()) return false;
      }
    }
  }
  for (const Wish& affinity : wishes.affinities) {
    if ((soft || !affinity.soft) && !AffinityHolds(affinity, node)) return false;
  }
  for (const Wish& constraint : wishes.constraints) {
    if ((soft || !constraint.soft) && !ConstraintHolds(constraint, on)) return false;
  }
  for (const Expression& whitelist : spec.whitelists) {
    const std::string names = whitelist.text.substr(whitelist.text.find("==") + 2);
    if (!Has(Flaw::kNoWhitelist) && !IsOneOf(CutAt(names, '|'), on.name)) return false;
  }
  return spec.platform.empty() || Has(Flaw::kNoPlatform) || PlatformFits(spec.platform, on);
}

Resources IndependentModel::TotalOf(const Node& node) const {
  if (Has(Flaw::kNoOvercommit)) return node.total;
  const auto percent = static_cast<std::int64_t>(settings_.overcommit * 100);
  constexpr std::int64_t kCpu = 1'000'000'000;
  Resources total = node.total;
  // Whole processors only: 5 % of 2 are none.
  total.nano_cpus += Has(Flaw::kRoundedProcessors) ? total.nano_cpus / 100 * percent
                                                   : total.nano_cpus / kCpu * percent / 100 * kCpu;
  total.memory += static_cast<std::int64_t>(static_cast<__int128>(total.memory) * percent / 100);
  return total;
}

std::optional<std::int64_t> IndependentModel::RankOf(const PlainNode& node,
                                                     const ContainerSpec& spec) const {
  if (settings_.strategy == "random") return 0;
  Resources reserved;
  for (const Container& container : node.held) {
    reserved.nano_cpus += container.request.nano_cpus;
    reserved.memory += container.request.memory;
  }
  for (const auto& [ticket, hold] : node.holds) {
    if (Has(Flaw::kNoUpdates)) continue;
    reserved.nano_cpus += hold.resources.nano_cpus;
    reserved.memory += hold.resources.memory;
  }
  const Resources total = TotalOf(node.description);
  const auto cpus = ShareOf(reserved.nano_cpus, spec.request.nano_cpus, total.nano_cpus);
  const auto memory = ShareOf(reserved.memory, spec.request.memory, total.memory);
  if (!cpus || !memory) return std::nullopt;
  // Each of three failures takes a third of the health.
  const int failures = Has(Flaw::kNoFailures) ? 0 : std::min(node.description.failures, 3);
  const std::int64_t health = 100 - failures * 100 / 3;
  const auto count = Has(Flaw::kNoCount) ? 0 : static_cast<std::int64_t>(node.held.size());
  const std::int64_t load = *cpus + *memory;
  if (settings_.strategy == "spread") return (load - 10 * health) * 1'000'000 + count;
  return -((load + 10 * health) * 1'000'000 + count);
}

std::optional<Placement> IndependentModel::Choose(Nodes nodes, const ContainerSpec& spec,
                                                  Random& random) const {
  std::sort(nodes.begin(), nodes.end(), [this](const PlainNode* one, const PlainNode* other) {
    const Node& left = one->description;
    const Node& right = other->description;
    if (Has(Flaw::kTieByAddress)) return left.address < right.address;
    return std::tie(left.name, left.address) < std::tie(right.name, right.address);
  });
  const Wishes wishes(spec, Has(Flaw::kCaseMatters));
  for (const bool soft : {true, false}) {
    std::vector<Placement> fitting;
    for (const PlainNode* node : nodes) {
      if (!Fits(nodes, *node, wishes, soft)) continue;
      const std::optional<std::int64_t> rank = RankOf(*node, spec);
      if (!rank) continue;
      fitting.push_back({node->description.address, node->description.name, *rank, !soft});
    }
    if (!fitting.empty()) {
      if (settings_.strategy == "random") return fitting[random.Below(fitting.size())];
      return *std::min_element(
          fitting.begin(), fitting.end(),
          [](const Placement& one, const Placement& other) { return one.weight < other.weight; });
    }
    if (!wishes.HasSoft() || Has(Flaw::kHardSoft)) break;
  }
  return std::nullopt;
}

}  // namespace swarm
