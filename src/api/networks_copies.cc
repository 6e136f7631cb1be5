// Finding and making the copies of a network.
#include <algorithm>
#include <tuple>
#include <utility>

#include "api/each_node.h"
#include "api/networks.h"
#include "api/node_objects.h"
#include "api/upstream.h"
#include "api/verdicts.h"
#include "swarmlib/status.h"
#include "wire/json.h"
#include "wire/timestamp.h"

namespace swarm {
namespace {

NetworkCopy ReadCopy(NodePointer node, JsonValue row) {
  NetworkCopy copy;
  copy.node = std::move(node);
  copy.id = row.Find("Id").text();
  copy.name = row.Find("Name").text();
  copy.created = ParseTime(row.Find("Created").text()).value_or(WallTime());
  const JsonValue scope = row.Find("Scope");
  copy.local = !scope.is(JsonDocument::Kind::kString) || scope.Equals("local");
  copy.project = LabelOf(row, kComposeProjectLabel);
  copy.cluster_id = LabelOf(row, kNetworkIdLabel);
  copy.spec = LabelOf(row, kNetworkSpecLabel);
  return copy;
}

}  // namespace

Task<FoundNetworks> FindNetworks(ContextPointer context) {
  FoundNetworks found;
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  Query query = FilterBy("type", {"custom"});
  const ApiVersion version = LookUpVersion();
  const std::vector<NodeAnswer> answers = co_await AskNodesUntil(
      context, std::move(nodes), "/networks", std::move(query), version, kLookUpPatience, nullptr);
  for (const NodeAnswer& said : answers) {
    JsonDocument document;
    if (!said.answer.ok() || said.answer->status != 200 ||
        !document.Parse(said.answer->body).ok()) {
      found.silent.push_back(said.node);
      continue;
    }
    document.root().ForEachElement(
        [&](JsonValue row) { found.copies.push_back(ReadCopy(said.node, row)); });
  }
  co_return found;
}

NetworkIndex::NetworkIndex(const FoundNetworks& found) : copies_(found.copies) {
  for (std::size_t at = 0; at < copies_.size(); ++at) {
    by_id_.emplace_back(copies_[at].id, at);
    by_name_.emplace_back(copies_[at].name, at);
  }
  std::sort(by_id_.begin(), by_id_.end());
  std::sort(by_name_.begin(), by_name_.end());
}

std::vector<const NetworkCopy*> NetworkIndex::Named(std::string_view name) const {
  std::vector<const NetworkCopy*> named;
  for (auto at = std::lower_bound(by_name_.begin(), by_name_.end(), Entry(name, 0));
       at != by_name_.end() && at->first == name; ++at) {
    named.push_back(&copies_[at->second]);
  }
  return named;
}

// The whole of what one copy belongs to.
std::vector<NetworkCopy> NetworkIndex::WholeOf(const NetworkCopy& one) const {
  std::vector<NetworkCopy> whole;
  if (one.ours()) {
    for (const NetworkCopy* copy : Named(one.name)) {
      if (copy->ours()) whole.push_back(*copy);
    }
  } else {
    for (auto at = std::lower_bound(by_id_.begin(), by_id_.end(), Entry(one.id, 0));
         at != by_id_.end() && at->first == one.id; ++at) {
      whole.push_back(copies_[at->second]);
    }
  }
  std::sort(whole.begin(), whole.end(), [](const NetworkCopy& left, const NetworkCopy& right) {
    return std::tie(left.created, left.node->name) < std::tie(right.created, right.node->name);
  });
  return whole;
}

absl::StatusOr<std::vector<NetworkCopy>> NetworkIndex::Match(std::string_view reference) const {
  const auto first = std::lower_bound(by_id_.begin(), by_id_.end(), Entry(reference, 0));
  if (first != by_id_.end() && first->first == reference) return WholeOf(copies_[first->second]);
  std::vector<NetworkCopy> own;
  for (const NetworkCopy* copy : Named(reference)) {
    if (copy->ours()) return WholeOf(*copy);
    own.push_back(*copy);
  }
  if (!own.empty() || reference.empty()) return own;
  if (first == by_id_.end() || !first->first.starts_with(reference)) return own;
  for (auto at = first; at != by_id_.end() && at->first.starts_with(reference); ++at) {
    if (at->first == first->first) continue;
    return InvalidArgument("multiple IDs found with provided prefix: " + std::string(reference) +
                           " (" + std::string(first->first) + ", " + std::string(at->first) + ")");
  }
  return WholeOf(copies_[first->second]);
}

absl::StatusOr<std::vector<NetworkCopy>> MatchNetwork(const FoundNetworks& found,
                                                      std::string_view reference) {
  return NetworkIndex(found).Match(reference);
}

const NetworkCopy* CopyOn(const std::vector<NetworkCopy>& copies, std::string_view address) {
  const auto there = std::find_if(copies.begin(), copies.end(), [&](const NetworkCopy& copy) {
    return copy.node->address == address;
  });
  return there == copies.end() ? nullptr : &*there;
}

const NetworkCopy* OwnOn(const FoundNetworks& found, std::string_view name,
                         std::string_view address) {
  for (const NetworkCopy& copy : found.copies) {
    if (!copy.ours() && copy.name == name && copy.node->address == address) return &copy;
  }
  return nullptr;
}

Task<Result> MakeNetwork(ContextPointer context, NodePointer node, std::string name,
                         std::string spec, std::string cluster_id, ApiVersion client,
                         std::stop_token stop) {
  const Labels labels = {{std::string(kNetworkIdLabel), std::move(cluster_id)},
                         {std::string(kNetworkSpecLabel), spec}};
  NodeRequest request;
  request.node = std::move(node);
  request.method = "POST";
  request.path = "/networks/create";
  request.body = WithCheckDuplicate(WithNameAndLabels(spec, name, labels));
  return AskOne(std::move(context), std::move(request), client, std::move(stop));
}

Task<absl::Status> BringNetwork(ContextPointer context, NodePointer node,
                                std::vector<NetworkCopy> copies) {
  const NetworkCopy first = copies.front();
  if (!first.local || CopyOn(copies, node->address) != nullptr) co_return absl::OkStatus();
  const std::string what = "network " + first.name;
  if (!first.ours()) {
    co_return FailedPrecondition(what + " is not on node " + node->name +
                                 ": it is the own one of " + first.node->name);
  }
  if (first.spec.empty()) {
    co_return FailedPrecondition(what + " cannot be made on node " + node->name + ": on " +
                                 first.node->name + " its label " + std::string(kNetworkSpecLabel) +
                                 " is missing");
  }
  const ApiVersion version = LookUpVersion();
  const std::stop_token never;
  Result answer =
      co_await MakeNetwork(context, node, first.name, first.spec, first.cluster_id, version, never);
  const NodeAnswer said{node, std::move(answer), true};
  const absl::Status failure = FailureOf(said);
  if (failure.ok()) co_return failure;
  if (HttpStatusOf(failure) == 409) {
    // By another manager meanwhile, perhaps.
    const FoundNetworks now = co_await FindNetworks(context);
    const absl::StatusOr<std::vector<NetworkCopy>> there = MatchNetwork(now, first.name);
    if (there.ok() && !there->empty() && there->front().ours() &&
        CopyOn(*there, node->address) != nullptr) {
      co_return absl::OkStatus();
    }
  }
  co_return Annotate(failure, what + " could not be made where the container goes");
}

}  // namespace swarm
