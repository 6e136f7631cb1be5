#include "sched/terms.h"

#include <algorithm>
#include <type_traits>

#include "base/text.h"
#include "model/expression.h"
#include "model/platform.h"
#include "sched/usage.h"

namespace swarm {
namespace {

// The repository of "host:5000/repo:tag" is "host:5000/repo".
std::string_view Repository(std::string_view tag) {
  const std::size_t colon = tag.rfind(':');
  if (colon == std::string_view::npos || tag.find('/', colon) != std::string_view::npos) return tag;
  return tag.substr(0, colon);
}

bool LabelHolds(const Expression& expression, const PatternMatcher& pattern, const Node& node) {
  bool matches;
  if (expression.key == "node") {
    matches = pattern.Matches(node.name) || pattern.Matches(node.id);
  } else {
    const auto label = node.labels.find(expression.key);
    matches = pattern.Matches(label == node.labels.end() ? std::string_view() : label->second);
  }
  return matches == IsEqual(expression);
}

bool HoldsMatching(const Expression& expression, const PatternMatcher& pattern,
                   const NodeView& view) {
  for (const Container* container : view.containers()) {
    if (ContainerMatches(pattern, expression.key, *container)) return true;
  }
  return false;
}

bool HoldsMatchingImage(const PatternMatcher& pattern, const NodeView& view) {
  for (const Image* image : view.images()) {
    for (const std::string& text : ImageTexts(*image)) {
      if (pattern.Matches(text)) return true;
    }
  }
  return false;
}

const Expression* ExpressionOf(const Term& term) {
  if (const auto* const label = std::get_if<term::Label>(&term)) return &label->expression;
  if (const auto* const holder = std::get_if<term::HoldsContainer>(&term))
    return &holder->expression;
  if (const auto* const image = std::get_if<term::HoldsImage>(&term)) return &image->expression;
  return nullptr;
}

bool PortsHold(const HeldPorts& asked, const NodeView& view) {
  HeldPorts held;
  for (const PortHold& hold : view.held_ports()) held.Insert(hold.port);
  return AskedPortsFit(asked, held);
}

bool SlotIsFree(const NodeView& view) {
  const std::optional<std::int64_t> limit = SlotLimit(view.node());
  return !limit || static_cast<std::int64_t>(view.containers().size()) < *limit;
}

std::string WhyLabel(const Expression& expression, const Node& node) {
  if (expression.key == "node") return "its name is " + node.name;
  const auto label = node.labels.find(expression.key);
  if (label == node.labels.end()) return "label " + expression.key + " is not set";
  return "label " + expression.key + " is " + label->second;
}

std::string WhyContainer(const Expression& expression, const PatternMatcher& pattern,
                         const NodeView& view) {
  if (IsEqual(expression)) return "no such container on the node";
  std::string first;
  for (const Container* container : view.containers()) {
    if (container->names.empty() || !ContainerMatches(pattern, expression.key, *container))
      continue;
    if (first.empty() || container->names[0] < first) first = container->names[0];
  }
  return first.empty() ? "such a container is on the node"
                       : "container " + first + " is on the node";
}

std::string WhyPorts(const term::PortsFree& term, const NodeView& view) {
  const std::optional<PortConflict> conflict = FindPortConflict(term.ports, view.held_ports());
  if (!conflict) return "";
  if (conflict->holder.empty())
    return "no host port of " + PortTextWithProtocol(conflict->asked) + " is free";
  return "host port " + PortTextWithProtocol(conflict->asked) + " is held by " + conflict->holder;
}

std::string WhySlots(const NodeView& view) {
  return "containerslots: " + std::to_string(view.containers().size()) + " of " +
         std::to_string(SlotLimit(view.node()).value_or(0)) + " taken";
}

std::string WhyHealth(const Node& node) {
  if (!node.error.empty()) return "unhealthy: " + node.error;
  return "unhealthy: " + std::to_string(node.failures) + " failures in a row";
}

}  // namespace

std::vector<std::string> ImageTexts(const Image& image) {
  std::vector<std::string> texts;
  constexpr std::string_view kAlgorithm = "sha256:";
  if (!image.id.empty()) texts.push_back(image.id);
  if (image.id.starts_with(kAlgorithm)) {
    texts.push_back(image.id.substr(kAlgorithm.size()));
    texts.push_back(image.id.substr(kAlgorithm.size(), kShortId));
  }
  for (const std::string& tag : image.repo_tags) {
    texts.push_back(tag);
    texts.emplace_back(Repository(tag));
  }
  for (const std::string& digest : image.repo_digests) texts.push_back(digest);
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  return texts;
}

std::string_view LabelOf(const Container& container, std::string_view key) {
  const auto label = container.labels.find(key);
  return label == container.labels.end() ? std::string_view() : std::string_view(label->second);
}

bool ContainerMatches(const PatternMatcher& pattern, std::string_view key,
                      const Container& container) {
  if (key != "container") return pattern.Matches(LabelOf(container, key));
  if (!container.id.empty() &&
      (pattern.Matches(container.id) ||
       pattern.Matches(std::string_view(container.id).substr(0, kShortId)))) {
    return true;
  }
  return !container.names.empty() && pattern.Matches(container.names[0]);
}

TermCheck::TermCheck(const Term& term, const Inventory& inventory, Asking asking)
    : term_(term), inventory_(inventory), asking_(asking) {
  if (const Expression* const expression = ExpressionOf(term_))
    pattern_ = std::make_shared<const PatternMatcher>(*expression);
  if (const auto* const ports = std::get_if<term::PortsFree>(&term_))
    asked_ = std::make_shared<const HeldPorts>(ports->ports);
  const auto* const all = std::get_if<term::HoldsAll>(&term_);
  if (all == nullptr) return;
  for (std::size_t i = 0; i < all->references.size(); ++i) {
    std::vector<std::string_view> found;
    inventory.HoldersOf(all->references[i], found);
    if (i == 0) {
      holders_.assign(found.begin(), found.end());
    } else {
      std::erase_if(holders_, [&found](const std::string& address) {
        return std::find(found.begin(), found.end(), address) == found.end();
      });
    }
  }
}

bool TermCheck::Holds(const NodeView& view) const {
  const Node& node = view.node();
  return std::visit(
      [&](const auto& term) -> bool {
        using Kind = std::decay_t<decltype(term)>;
        if constexpr (std::is_same_v<Kind, term::Healthy>) {
          return node.state == NodeState::kHealthy;
        } else if constexpr (std::is_same_v<Kind, term::Label>) {
          return LabelHolds(term.expression, *pattern_, node);
        } else if constexpr (std::is_same_v<Kind, term::NodeIn>) {
          return std::find(term.names.begin(), term.names.end(), node.name) != term.names.end();
        } else if constexpr (std::is_same_v<Kind, term::HoldsContainer>) {
          return HoldsMatching(term.expression, *pattern_, view) == IsEqual(term.expression);
        } else if constexpr (std::is_same_v<Kind, term::HoldsAll>) {
          return term.references.empty() ||
                 std::find(holders_.begin(), holders_.end(), node.address) != holders_.end();
        } else if constexpr (std::is_same_v<Kind, term::HoldsImage>) {
          return HoldsMatchingImage(*pattern_, view) == IsEqual(term.expression);
        } else if constexpr (std::is_same_v<Kind, term::PortsFree>) {
          return PortsHold(*asked_, view);
        } else if constexpr (std::is_same_v<Kind, term::SlotFree>) {
          return SlotIsFree(view);
        } else if constexpr (std::is_same_v<Kind, term::Platform>) {
          return PlatformMatches(term.platform, node);
        } else {
          static_assert(std::is_same_v<Kind, term::Opaque>);
          if (asking_.questions == nullptr) return term.holds(view);
          return asking_.questions->Holds(term, view, inventory_, asking_.exact);
        }
      },
      term_);
}

std::string TermCheck::WhyNot(const NodeView& view) const {
  const Node& node = view.node();
  return std::visit(
      [&](const auto& term) -> std::string {
        using Kind = std::decay_t<decltype(term)>;
        if constexpr (std::is_same_v<Kind, term::Healthy>) {
          return WhyHealth(node);
        } else if constexpr (std::is_same_v<Kind, term::Label>) {
          return WhyLabel(term.expression, node);
        } else if constexpr (std::is_same_v<Kind, term::NodeIn>) {
          return "the whitelist does not name the node";
        } else if constexpr (std::is_same_v<Kind, term::HoldsContainer>) {
          return WhyContainer(term.expression, *pattern_, view);
        } else if constexpr (std::is_same_v<Kind, term::HoldsAll>) {
          return "no such container on the node";
        } else if constexpr (std::is_same_v<Kind, term::HoldsImage>) {
          return IsEqual(term.expression) ? "no such image on the node"
                                          : "such an image is on the node";
        } else if constexpr (std::is_same_v<Kind, term::PortsFree>) {
          return WhyPorts(term, view);
        } else if constexpr (std::is_same_v<Kind, term::SlotFree>) {
          return WhySlots(view);
        } else if constexpr (std::is_same_v<Kind, term::Platform>) {
          return "the node is " + node.os + "/" + node.architecture;
        } else {
          static_assert(std::is_same_v<Kind, term::Opaque>);
          return "";
        }
      },
      term_);
}

}  // namespace swarm
