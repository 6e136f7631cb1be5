#include "sched/terms.h"

#include <algorithm>
#include <type_traits>

#include "base/text.h"
#include "model/expression.h"
#include "model/platform.h"
#include "sched/pattern_work.h"
#include "sched/usage.h"

namespace swarm {
namespace {

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

bool HoldsMatching(const Expression& expression, const PatternMatcher& pattern, NodeFacts& node) {
  if (IsFindable(expression)) return node.HoldsExactly(expression.key, expression.value);
  const std::vector<const Container*>& all = node.containers();
  return std::any_of(all.begin(), all.end(), [&](const Container* container) {
    return ContainerMatches(pattern, expression.key, *container);
  });
}

bool HoldsMatchingImage(const Expression& expression, const PatternMatcher& pattern,
                        NodeFacts& node) {
  const std::vector<std::string>& texts = node.image_texts();
  if (IsFindable(expression))
    return std::binary_search(texts.begin(), texts.end(), expression.value);
  return std::any_of(texts.begin(), texts.end(),
                     [&pattern](const std::string& text) { return pattern.Matches(text); });
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
  if (const Expression* const expression = ExpressionOf(term_)) {
    pattern_ = asking_.questions == nullptr ? std::make_shared<const PatternMatcher>(*expression)
                                            : asking_.questions->PatternOf(term_, *expression);
  }
  if (const auto* const ports = std::get_if<term::PortsFree>(&term_))
    asked_ = std::make_shared<const HeldPorts>(ports->ports);
  if (const auto* const allowed = std::get_if<term::NodeIn>(&term_)) {
    names_ = std::make_shared<const StringSet>(allowed->names.begin(), allowed->names.end());
  }
  PrepareQuestion();
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

void TermCheck::PrepareQuestion() {
  if (asking_.questions == nullptr) return;
  question_.term = &term_;
  if (const auto* const opaque = std::get_if<term::Opaque>(&term_)) {
    // Not a copy: it is code of the embedding program.
    question_.holds =
        std::shared_ptr<const Questions::Predicate>(std::shared_ptr<void>(), &opaque->holds);
  } else if (asking_.questions->asks_patterns() && HasCostlyPattern(term_)) {
    question_.holds = std::make_shared<const Questions::Predicate>(
        [term = &term_, pattern = pattern_](const NodeView& view) {
          NodeFacts facts(view);
          return MatchesTerm(*term, *pattern, facts);
        });
    question_.why_not = std::make_shared<const Questions::Reason>(
        [term = &term_, pattern = pattern_](const NodeView& view) {
          return WhyNoMatch(*term, *pattern, view);
        });
    asking_.questions->AddPattern(question_);
  }
}

bool TermCheck::MatchesTerm(const Term& term, const PatternMatcher& pattern, NodeFacts& node) {
  if (const auto* const label = std::get_if<term::Label>(&term))
    return LabelHolds(label->expression, pattern, node.view().node());
  if (const auto* const holder = std::get_if<term::HoldsContainer>(&term))
    return HoldsMatching(holder->expression, pattern, node) == IsEqual(holder->expression);
  const Expression& image = std::get<term::HoldsImage>(term).expression;
  return HoldsMatchingImage(image, pattern, node) == IsEqual(image);
}

bool TermCheck::Holds(NodeFacts& facts) const {
  const NodeView& view = facts.view();
  if (question_.holds != nullptr)
    return asking_.questions->Holds(question_, view, inventory_, asking_.exact);
  if (pattern_ != nullptr) return MatchesTerm(term_, *pattern_, facts);
  const Node& node = view.node();
  return std::visit(
      [&](const auto& term) -> bool {
        using Kind = std::decay_t<decltype(term)>;
        if constexpr (std::is_same_v<Kind, term::Healthy>) {
          return node.state == NodeState::kHealthy;
        } else if constexpr (std::is_same_v<Kind, term::NodeIn>) {
          return names_->contains(node.name);
        } else if constexpr (std::is_same_v<Kind, term::HoldsAll>) {
          return term.references.empty() ||
                 std::find(holders_.begin(), holders_.end(), node.address) != holders_.end();
        } else if constexpr (std::is_same_v<Kind, term::PortsFree>) {
          return PortsHold(*asked_, view);
        } else if constexpr (std::is_same_v<Kind, term::SlotFree>) {
          return SlotIsFree(view);
        } else if constexpr (std::is_same_v<Kind, term::Platform>) {
          return PlatformMatches(term.platform, node);
        } else if constexpr (std::is_same_v<Kind, term::Opaque>) {
          return term.holds(view);
        } else {
          return false;  // those with a pattern, which are done
        }
      },
      term_);
}

std::string TermCheck::WhyNoMatch(const Term& term, const PatternMatcher& pattern,
                                  const NodeView& view) {
  if (const auto* const label = std::get_if<term::Label>(&term))
    return WhyLabel(label->expression, view.node());
  if (const auto* const holder = std::get_if<term::HoldsContainer>(&term))
    return WhyContainer(holder->expression, pattern, view);
  return IsEqual(std::get<term::HoldsImage>(term).expression) ? "no such image on the node"
                                                              : "such an image is on the node";
}

std::string TermCheck::WhyNot(const NodeView& view) const {
  const Node& node = view.node();
  if (question_.why_not != nullptr) return asking_.questions->WhyNot(question_, view);
  if (pattern_ != nullptr) return WhyNoMatch(term_, *pattern_, view);
  return std::visit(
      [&](const auto& term) -> std::string {
        using Kind = std::decay_t<decltype(term)>;
        if constexpr (std::is_same_v<Kind, term::Healthy>) {
          return WhyHealth(node);
        } else if constexpr (std::is_same_v<Kind, term::NodeIn>) {
          return "the whitelist does not name the node";
        } else if constexpr (std::is_same_v<Kind, term::HoldsAll>) {
          return "no such container on the node";
        } else if constexpr (std::is_same_v<Kind, term::PortsFree>) {
          return WhyPorts(term, view);
        } else if constexpr (std::is_same_v<Kind, term::SlotFree>) {
          return WhySlots(view);
        } else if constexpr (std::is_same_v<Kind, term::Platform>) {
          return "the node is " + node.os + "/" + node.architecture;
        } else {
          return "";  // of opaque ones nobody knows; those with a pattern are done
        }
      },
      term_);
}

}  // namespace swarm
