#include "api/node_objects.h"

#include <algorithm>
#include <utility>

#include "api/container_filters.h"
#include "api/each_node.h"
#include "api/plan_place.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/placement.h"

namespace swarm {
namespace {

// An inspect answer of a network or volume that has our label.
bool IsOfCluster(const Reply& reply) {
  const auto names = [&reply](std::string_view label) {
    return reply.body.find(label) != std::string::npos;
  };
  if (!names(kNetworkIdLabel) && !names(kVolumeIdLabel)) return false;
  JsonDocument document;
  if (!document.Parse(reply.body).ok()) return false;
  return !LabelOf(document.root(), kNetworkIdLabel).empty() ||
         !LabelOf(document.root(), kVolumeIdLabel).empty();
}

// A copy of the cluster's object on any node is enough: all copies are alike.
bool IsClustersKnown(const std::vector<NodeAnswer>& answers) {
  bool have_all_said = true;
  for (const NodeAnswer& said : answers) {
    if (!said.answered) {
      have_all_said = false;
    } else if (said.answer.ok() && said.answer->status == 200 && IsOfCluster(*said.answer)) {
      return true;
    }
  }
  return have_all_said;
}

}  // namespace

ApiVersion LookUpVersion() { return OwnNewestApi(); }

bool IsPlainName(std::string_view name) {
  constexpr std::size_t kMostName = 255;
  return !name.empty() && name.size() <= kMostName && name.front() != '.' &&
         name.find_first_of("/\\") == std::string_view::npos;
}

Query FilterBy(std::string_view key, std::vector<std::string> values) {
  FilterArguments filters;
  filters[std::string(key)] = std::move(values);
  return {{"filters", FormatFilters(filters)}};
}

bool IsLocal(JsonValue object) {
  const JsonValue scope = object.Find("Scope");
  return !scope.is(JsonDocument::Kind::kString) || scope.Equals("local");
}

std::string LabelOf(JsonValue object, std::string_view key) {
  return object.Find("Labels").Find(key).text();
}

std::string ShownObject(std::string_view body, JsonValue object, const Node* node) {
  TextEdits edits;
  HideLabels(object, edits);
  const JsonValue name = object.Find("Name");
  if (node != nullptr && name.is(JsonDocument::Kind::kString)) {
    edits.Replace(name.begin(), name.end(), JsonString(node->name + "/" + name.text()));
  }
  return edits.Apply(body, object.begin(), object.end());
}

Task<Result> InspectFirst(ContextPointer context, ApiExchange exchange, std::string path,
                          absl::Status unknown) {
  auto [node, name] = SplitNode(*context, exchange.name);
  if (!IsPlainName(name)) co_return unknown;
  std::string target = path + PercentEncode(name);
  NodePointer only = node;
  // What every engine has is no object of the cluster: the first answer will do.
  const bool is_everywhere = path == "/networks/" && !IsNetworkReference(name);
  FirstRule rule = FirstByName();
  if (!node && !is_everywhere) rule = {IsClustersKnown, IsOfCluster};
  absl::StatusOr<NodeReply> found = co_await AskFirst(
      std::move(context), std::move(exchange), std::move(only), std::move(target), unknown, rule);
  if (!found.ok()) co_return found.status();
  co_return std::move(found->reply);
}

std::string NamesOf(const std::vector<NodePointer>& nodes) {
  std::vector<std::string> names;
  for (const NodePointer& node : nodes) names.push_back(node->name);
  return Join(names, ", ");
}

absl::Status CheckNodeOf(std::string_view what, std::string_view name, const NodePointer& node) {
  const std::size_t slash = name.find('/');
  if (node || slash == std::string_view::npos || slash == 0) return absl::OkStatus();
  return InvalidArgument("the " + std::string(what) + " \"" + std::string(name) +
                         "\" cannot be made: there is no node \"" +
                         std::string(name.substr(0, slash)) +
                         "\"; \"docker info\" shows the nodes");
}

absl::Status UnlessSilent(const std::vector<NodePointer>& silent, const std::string& what) {
  if (silent.empty()) return absl::OkStatus();
  return Unavailable("nobody knows whether there is a " + what + ": node " + NamesOf(silent) +
                     " did not say in time. Try again; \"docker info\" shows the state of each");
}

Task<absl::StatusOr<NodePointer>> PlaceObject(ContextPointer context, std::string what,
                                              ObjectRequest request,
                                              std::vector<std::string> preferred) {
  ContainerSpec spec;
  PlacementTexts texts;
  if (absl::Status taken = texts.TakeLabels(request.labels); !taken.ok()) co_return taken;
  if (absl::Status applied = texts.Apply(spec); !applied.ok()) co_return applied;
  const absl::StatusOr<Explanation> plan = co_await PlanPlace(context, std::move(spec));
  if (!plan.ok()) co_return plan.status();
  const std::vector<Placement>& candidates = plan->candidates;
  const auto wanted =
      std::find_if(candidates.begin(), candidates.end(), [&](const Placement& place) {
        return std::find(preferred.begin(), preferred.end(), place.node) != preferred.end();
      });
  const Placement* chosen = nullptr;
  if (wanted != candidates.end()) {
    chosen = &*wanted;
  } else if (!candidates.empty()) {
    chosen = &candidates.front();
  }
  const NodePointer node = chosen == nullptr ? nullptr : context->cluster().FindNode(chosen->node);
  if (node) co_return node;
  constexpr std::size_t kMostReasons = 20;
  std::string message = "no node can take the " + what;
  if (!plan->summary.empty()) message += ": " + plan->summary;
  for (std::size_t at = 0; at < std::min(plan->refused.size(), kMostReasons); ++at) {
    message += "\n" + plan->refused[at].node + ": " + plan->refused[at].reason;
  }
  co_return FailedPrecondition(message);
}

}  // namespace swarm
