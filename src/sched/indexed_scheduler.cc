#include "sched/indexed_scheduler.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include "model/expression.h"
#include "model/platform.h"
#include "sched/pattern_work.h"
#include "sched/ports.h"
#include "sched/terms.h"

namespace swarm {
namespace {

// Patterns beyond this are held against single nodes: a spec must not drive its own patterns out
// of the bounded stores that its query still looks at.
constexpr std::size_t kMaxIndexedPatterns = 16;
// What the index of holders looks for among all containers takes milliseconds the first time. Of
// more than this at once none is indexed: one pass over the nodes serves them all.
constexpr std::ptrdiff_t kMaxIndexedLooks = 4;

// Names a pattern among those of one column.
std::string PatternName(const Expression& expression) {
  std::string name(1, expression.match == Expression::Match::kRegex ? 'r' : 'g');
  name += expression.ignore_case ? 'i' : 'c';
  return name + expression.value;
}

NodeSelection With(NodeSelection selection, bool equal) {
  if (!equal) selection.inverted = !selection.inverted;
  return selection;
}

bool IsKnownProtocol(const std::string& protocol) {
  return protocol == "tcp" || protocol == "udp" || protocol == "sctp";
}

// True when the index of holders has to look at every container for the term, the first time.
bool LooksAtContainers(const Term& term) {
  const auto* const wanted = std::get_if<term::HoldsContainer>(&term);
  if (wanted == nullptr) return false;
  return wanted->expression.key != "container" || !IsExact(wanted->expression);
}

// True when a column keeps a pattern for the term.
bool IsPattern(const Term& term) {
  const auto* const label = std::get_if<term::Label>(&term);
  const auto* const image = std::get_if<term::HoldsImage>(&term);
  if (label != nullptr) return !IsFindable(label->expression);
  return image != nullptr && !IsFindable(image->expression);
}

// Asks the terms of single nodes.
Query::Check CheckOf(const std::vector<const Term*>& terms, const Inventory& inventory,
                     Questions* questions, const NodeTable& nodes) {
  std::vector<TermCheck> checks;
  checks.reserve(terms.size());
  for (const Term* term : terms) checks.emplace_back(*term, inventory, Asking{questions, true});
  return [&inventory, &nodes, checks = std::move(checks)](Slot slot) {
    const NodeView* const view = inventory.ViewOf(nodes[slot].node->address);
    if (view == nullptr) return false;
    NodeFacts facts(*view);
    return std::all_of(checks.begin(), checks.end(),
                       [&facts](const TermCheck& check) { return check.Holds(facts); });
  };
}

// True when the index of ports by itself says whether the port is free.
bool IndexDecides(const PortBinding& port) {
  return IsWildcardAddress(port.host_ip) && !IsRange(port) && IsKnownProtocol(port.protocol);
}

}  // namespace

IndexedScheduler::IndexedScheduler(const Inventory& inventory, const FilterList& filters,
                                   const Strategy& strategy, const SchedulerOptions& options,
                                   Random& random)
    : inventory_(inventory),
      filters_(filters),
      strategy_(strategy),
      options_(options),
      random_(random),
      judging_{inventory_, filters_, strategy_, options_},
      holders_([this](Slot slot) { return nodes_[slot].position; }),
      ranks_(nodes_, strategy_),
      plans_(filters_),
      query_(order_) {}

absl::StatusOr<Placement> IndexedScheduler::Choose(const ContainerSpec& spec) {
  const absl::StatusOr<Plan*> plan = plans_.PlanFor(spec);
  if (!plan.ok()) return plan.status();
  return Choose(spec, **plan);
}

absl::StatusOr<Placement> IndexedScheduler::ChooseBy(const ContainerSpec& spec, Plan& plan,
                                                     Questions& questions) {
  questions.Begin();
  judging_.questions = &questions;
  absl::StatusOr<Placement> chosen = Choose(spec, plan);
  judging_.questions = nullptr;
  return chosen;
}

absl::StatusOr<Placement> IndexedScheduler::Choose(const ContainerSpec& spec, Plan& plan) {
  std::int64_t rank = 0;
  bool soft_dropped = false;
  Slot slot = Find(plan, plan.passes[0], spec, true, rank);
  if (slot == kNoSlot && plan.has_soft && !IsOpen()) {
    soft_dropped = true;
    slot = Find(plan, plan.passes[1], spec, false, rank);
  }
  if (slot == kNoSlot && !IsOpen()) {
    const Judgement judgement = JudgeSpec(judging_, plan.rules, spec);
    if (!IsOpen()) return RefuseSpec(judging_, judgement, spec);
  }
  if (IsOpen()) return Unavailable("predicates are to be asked first");
  last_choice_ = slot;
  const Node& node = *nodes_[slot].node;
  return Placement{node.address, node.name, rank, soft_dropped};
}

absl::StatusOr<Explanation> IndexedScheduler::Explain(const ContainerSpec& spec) const {
  const absl::StatusOr<std::vector<FilterRules>> rules = ReadRules(filters_, spec);
  if (!rules.ok()) return rules.status();
  return ExplainSpec(judging_, *rules, spec);
}

Explanation IndexedScheduler::ExplainBy(const ContainerSpec& spec, const Plan& plan,
                                        Questions& questions) const {
  questions.Begin();
  return ExplainSpec({inventory_, filters_, strategy_, options_, &questions}, plan.rules, spec);
}

Slot IndexedScheduler::Find(Plan& plan, PlanPass& pass, const ContainerSpec& spec, bool with_soft,
                            std::int64_t& rank) {
  if (pass.revision != revision_) ResolveFixed(plan, pass, with_soft);
  query_.Clear();
  for (const NodeSelection& selection : pass.fixed) query_.Add(selection);
  const auto looks = std::count_if(pass.moving.begin(), pass.moving.end(),
                                   [](const Term* term) { return LooksAtContainers(*term); });
  std::vector<const Term*> unindexed;
  for (const Term* term : pass.moving) {
    const bool is_of_many = looks > kMaxIndexedLooks && LooksAtContainers(*term);
    if (is_of_many || IsAsked(*term) || !AddMoving(*term)) unindexed.push_back(term);
  }
  if (!unindexed.empty())
    query_.AddCheck(CheckOf(unindexed, inventory_, judging_.questions, nodes_));
  RankClass& ranks = ranks_.ClassFor(spec.request);
  Slot slot = kNoSlot;
  if (strategy_.draws()) {
    const std::size_t count = query_.CountFitting(ranks);
    // A draw that counted for nothing would change the next one.
    if (count > 0 && !IsOpen()) slot = query_.FittingAt(random_.Below(count));
  } else {
    const bool hints = pass.query != 0 && pass.may_hint;
    slot = query_.First(ranks, hints ? ranks.HintFor(pass.query) : kNoHint);
  }
  if (slot != kNoSlot) rank = ranks.BucketOf(slot)->rank;
  return slot;
}

bool IndexedScheduler::IsAsked(const Term& term) const {
  return judging_.questions != nullptr && judging_.questions->asks_patterns() &&
         HasCostlyPattern(term);
}

void IndexedScheduler::ResolveFixed(const Plan& plan, PlanPass& pass, bool with_soft) {
  pass.fixed.clear();
  pass.moving.clear();
  pass.may_hint = true;
  std::size_t patterns = 0;
  for (const FilterRules& filter : plan.rules) {
    for (const Rule& rule : filter.rules) {
      if (rule.soft && !with_soft) continue;
      const bool is_one_more = IsPattern(rule.term) && ++patterns > kMaxIndexedPatterns;
      if (is_one_more || IsAsked(rule.term) || !AddFixed(rule.term, pass))
        pass.moving.push_back(&rule.term);
      // Which containers a reference means depends on all nodes.
      if (std::holds_alternative<term::HoldsAll>(rule.term)) pass.may_hint = false;
    }
  }
  pass.revision = revision_;
}

NodeSelection IndexedScheduler::SelectIn(Column& column, const Expression& expression) {
  if (IsFindable(expression)) {
    return With(column.Find(expression.value), IsEqual(expression));
  }
  const NodeSelection selection =
      column.Match(PatternName(expression), [&expression]() -> Column::Matcher {
        return [matcher = std::make_shared<PatternMatcher>(expression)](std::string_view text) {
          return matcher->Matches(text);
        };
      });
  return With(selection, IsEqual(expression));
}

bool IndexedScheduler::AddFixed(const Term& term, PlanPass& pass) {
  if (std::holds_alternative<term::Healthy>(term)) {
    pass.fixed.push_back({&unhealthy_, true});
    return true;
  }
  if (std::holds_alternative<term::SlotFree>(term)) {
    pass.fixed.push_back({&full_, true});
    return true;
  }
  if (const auto* const label = std::get_if<term::Label>(&term)) {
    const Expression& expression = label->expression;
    const auto column = labels_.find(expression.key);
    if (expression.key == "node") {
      pass.fixed.push_back(SelectIn(names_, expression));
    } else if (column != labels_.end()) {
      pass.fixed.push_back(SelectIn(*column->second, expression));
    } else {
      // No node has that label: it is empty on all of them.
      pass.fixed.push_back({nullptr, Matches(expression, "")});
    }
    return true;
  }
  if (const auto* const image = std::get_if<term::HoldsImage>(&term)) {
    pass.fixed.push_back(SelectIn(images_, image->expression));
    return true;
  }
  if (const auto* const platform = std::get_if<term::Platform>(&term)) {
    pass.fixed.push_back(platforms_.Match(platform->platform, [platform]() -> Column::Matcher {
      return [wanted = platform->platform](std::string_view text) {
        Node node;
        node.os = std::string(text.substr(0, text.find('/')));
        node.architecture = std::string(text.substr(text.find('/') + 1));
        return PlatformMatches(wanted, node);
      };
    }));
    return true;
  }
  return false;
}

bool IndexedScheduler::AddMoving(const Term& term) {
  if (const auto* const names = std::get_if<term::NodeIn>(&term)) {
    AddNames(*names);
  } else if (const auto* const references = std::get_if<term::HoldsAll>(&term)) {
    AddReferences(*references);
  } else if (const auto* const ports = std::get_if<term::PortsFree>(&term)) {
    AddPorts(*ports);
  } else if (const auto* const holders = std::get_if<term::HoldsContainer>(&term)) {
    AddHolders(*holders);
  } else {
    return false;
  }
  return true;
}

void IndexedScheduler::AppendPositions(const std::vector<std::string_view>& addresses,
                                       PositionSet& positions) const {
  for (const std::string_view address : addresses) {
    const auto slot = slot_of_.find(address);
    if (slot == slot_of_.end() || nodes_[slot->second].position == kNoPosition) continue;
    positions.Insert(nodes_[slot->second].position);
  }
}

void IndexedScheduler::AddNames(const term::NodeIn& wanted) {
  PositionSet& positions = query_.NewSet();
  std::vector<Slot> slots;
  for (const std::string& name : wanted.names) order_.AppendNamed(name, slots);
  for (const Slot slot : slots) positions.Insert(nodes_[slot].position);
  query_.Add({&positions, false});
}

void IndexedScheduler::AddReferences(const term::HoldsAll& wanted) {
  for (const std::string& reference : wanted.references) {
    std::vector<std::string_view> addresses;
    inventory_.HoldersOf(reference, addresses);
    PositionSet& positions = query_.NewSet();
    AppendPositions(addresses, positions);
    query_.Add({&positions, false});
  }
}

void IndexedScheduler::AddHolders(const term::HoldsContainer& wanted) {
  const Expression& expression = wanted.expression;
  if (expression.key == "container" && IsExact(expression)) {
    std::vector<std::string_view> addresses;
    inventory_.HoldersNamed(expression.value, addresses);
    PositionSet& positions = query_.NewSet();
    AppendPositions(addresses, positions);
    query_.Add(With({&positions, false}, IsEqual(expression)));
    return;
  }
  const PositionSet* const found =
      holders_.Find(expression, [this](const HolderIndex::Visitor& visit) {
        for (Slot slot = 0; slot < nodes_.size(); ++slot) {
          if (nodes_[slot].position == kNoPosition) continue;
          const NodeView* const view = inventory_.ViewOf(nodes_[slot].node->address);
          if (view == nullptr) continue;
          for (const Container* container : view->containers()) visit(slot, *container);
        }
      });
  // A copy: another affinity of the same spec may drive this one out of the bounded store.
  PositionSet& positions = query_.NewSet();
  if (found != nullptr) positions = *found;
  query_.Add(With({&positions, false}, IsEqual(expression)));
}

void IndexedScheduler::AddPorts(const term::PortsFree& wanted) {
  bool decided = ranges_held_ == 0;
  for (const PortBinding& port : wanted.ports) {
    if (IndexDecides(port)) {
      query_.Add({ports_.Holders(port), true});
    } else {
      decided = false;
    }
  }
  if (decided) return;
  query_.AddCheck([this, asked = HeldPorts(wanted.ports)](Slot slot) {
    return AskedPortsFit(asked, nodes_[slot].ports);
  });
}

}  // namespace swarm
