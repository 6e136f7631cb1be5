#include "api/attachments.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "api/compose.h"
#include "api/each_node.h"
#include "api/networks.h"
#include "api/node_objects.h"
#include "api/upstream.h"
#include "api/verdicts.h"
#include "api/volumes.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::string_view kComposeAffinity = "com.docker.compose.project==~";

std::vector<NodePointer> NodesAt(const Context& context,
                                 const std::vector<std::string>& addresses) {
  std::vector<NodePointer> nodes;
  for (const std::string& address : addresses) {
    if (NodePointer node = context.cluster().FindNode(address)) nodes.push_back(std::move(node));
  }
  return nodes;
}

// A demand for one of these nodes, told by their IDs.
Expression OneOf(std::string text, const std::vector<NodePointer>& nodes, bool soft) {
  Expression expression;
  expression.key = "node";
  expression.soft = soft;
  expression.text = std::move(text);
  const auto id_of = [](const Node& node) { return node.id.empty() ? node.name : node.id; };
  if (nodes.size() == 1) {
    expression.value = id_of(*nodes.front());
    return expression;
  }
  expression.match = Expression::Match::kRegex;
  expression.value = "^(?:";
  for (const NodePointer& node : nodes) {
    if (node != nodes.front()) expression.value += '|';
    for (const char letter : id_of(*node)) {
      const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                         (letter >= '0' && letter <= '9');
      if (!plain) expression.value += '\\';
      expression.value += letter;
    }
  }
  expression.value += ")$";
  return expression;
}

std::string ProjectOf(const ParsedCreate& parsed) {
  const auto label = parsed.spec.labels.find(kComposeProjectLabel);
  return label == parsed.spec.labels.end() ? std::string() : label->second;
}

// True when the volume is not there, or is there and may move.
bool IsUnsettled(Context& context, const FoundVolumes& found, const std::string& name) {
  const auto known = found.copies.find(name);
  if (known == found.copies.end()) return true;
  const auto fresh = context.fresh_volumes().Find(name);
  if (!fresh || known->second.size() != 1) return false;
  const VolumeCopy& copy = known->second.front();
  return copy.node->address == fresh->node && copy.id == fresh->id &&
         context.clock().Now() - fresh->made < FreshVolumes::kMayMove;
}

// A volume that this process made for nobody yet, and whose node has fallen ill since.
absl::Status UnlessOnIllNode(Context& context, const std::string& name) {
  const auto fresh = context.fresh_volumes().Find(name);
  const NodePointer node = fresh ? context.cluster().FindNode(fresh->node) : nullptr;
  if (!node || node->state == NodeState::kHealthy) return absl::OkStatus();
  return Unavailable("volume " + name + " is on node " + node->name + ", which does not answer");
}

absl::Status AddVolume(Attachments& to, const FoundVolumes& found, const HoldersByVolume& down,
                       const NamedVolume& volume) {
  const auto known = found.copies.find(volume.name);
  if (known == found.copies.end()) {
    if (absl::Status sure = UnlessSilent(found.silent, "volume " + volume.name); !sure.ok())
      return sure;
    if (const auto holders = down.find(volume.name); holders != down.end()) {
      return Unavailable("volume " + volume.name + " is on node " + NamesOf(holders->second) +
                         ", which does not answer");
    }
    if (absl::Status well = UnlessOnIllNode(*to.context, volume.name); !well.ok()) return well;
    // What more is said of a volume only the engine's own create can make.
    if (volume.bare) to.volumes.push_back({volume.name, "", "{}", false});
    return absl::OkStatus();
  }
  if (IsUnsettled(*to.context, found, volume.name)) {
    const auto fresh = to.context->fresh_volumes().Find(volume.name);
    if (fresh) {
      to.volumes.push_back({volume.name, fresh->node, fresh->body, true});
      return absl::OkStatus();
    }
  }
  Attachments::Pin pin;
  for (const VolumeCopy& copy : known->second) {
    if (!copy.local) return absl::OkStatus();
    pin.nodes.push_back(copy.node);
  }
  pin.text = "volume " + volume.name + " is on " + NamesOf(pin.nodes);
  to.pins.push_back(std::move(pin));
  return absl::OkStatus();
}

// Nodes with a network of their own under the name cannot get a copy of the cluster's.
void AvoidOwnOnes(Attachments& to, const NetworkIndex& index, const std::string& name) {
  const std::vector<const NetworkCopy*> named = index.Named(name);
  std::set<std::string_view> with_copy;
  for (const NetworkCopy* copy : named) {
    if (copy->ours()) with_copy.insert(copy->node->address);
  }
  for (const NetworkCopy* copy : named) {
    if (!copy->ours() && !with_copy.contains(copy->node->address)) to.avoided.push_back(copy->node);
  }
}

// What the networks of one create are, as far as they are known.
struct NetworkNames {
  std::map<std::string, std::string> changed;  // what they were called by → their names
  std::vector<std::string> local;              // names of those of local scope
};

absl::Status AddNetwork(Attachments& to, const std::vector<NodePointer>& silent,
                        const NetworkIndex& index, const std::string& reference,
                        NetworkNames& names) {
  const absl::StatusOr<std::vector<NetworkCopy>> copies = index.Match(reference);
  if (!copies.ok()) return copies.status();
  // The engine says what it thinks of a network that nobody has.
  if (copies->empty()) return UnlessSilent(silent, "network " + reference);
  const NetworkCopy& first = copies->front();
  if (first.name != reference) names.changed.emplace(reference, first.name);
  if (!first.local) return absl::OkStatus();
  names.local.push_back(first.name);
  if (first.ours() && !first.spec.empty()) {
    to.networks.push_back(first.name);
    AvoidOwnOnes(to, index, first.name);
    return absl::OkStatus();
  }
  Attachments::Pin pin;
  for (const NetworkCopy& copy : *copies) pin.nodes.push_back(copy.node);
  pin.text = "network " + reference + " is on " + NamesOf(pin.nodes);
  to.pins.push_back(std::move(pin));
  return absl::OkStatus();
}

// Where containers of the project are that share a network of local scope.
bool PinToProject(Attachments& to, const std::vector<std::string>& local) {
  Attachments::Pin pin;
  pin.nodes = NodesAt(*to.context, NodesOfProject(*to.context, to.project, local));
  if (pin.nodes.empty()) return false;
  pin.text = "compose project " + to.project + " is on " + NamesOf(pin.nodes);
  to.pins.push_back(std::move(pin));
  return true;
}

// Takes a volume away from the node where it was made and never used.
Task<absl::Status> Unmake(ContextPointer context, std::string name, std::string address) {
  const NodePointer node = context->cluster().FindNode(address);
  if (!node) co_return absl::OkStatus();
  NodeRequest request;
  request.node = node;
  request.method = "DELETE";
  request.path = "/volumes/" + PercentEncode(name);
  const ApiVersion version = LookUpVersion();
  const std::stop_token never;
  Result answer = co_await AskOne(context, std::move(request), version, never);
  if (answer.ok() && answer->status == 404) co_return absl::OkStatus();
  const NodeAnswer said{node, std::move(answer), true};
  co_return FailureOf(said);
}

Task<absl::Status> BringVolume(ContextPointer context, NodePointer node,
                               Attachments::Volume* volume) {
  if (volume->node == node->address) co_return absl::OkStatus();
  if (!volume->node.empty()) {
    const absl::Status gone = co_await Unmake(context, volume->name, volume->node);
    if (!gone.ok()) co_return Annotate(gone, "volume " + volume->name + " cannot move");
    volume->node.clear();
    context->fresh_volumes().Forget(volume->name);
  }
  const ApiVersion version = LookUpVersion();
  const std::stop_token never;
  const std::string id = context->NewSwarmId();
  const TimePoint now = context->clock().Now();
  Result answer =
      co_await MakeVolume(context, node, volume->name, volume->body, id, version, never);
  const bool made = IsMadeAs(answer, id);
  const NodeAnswer said{node, std::move(answer), true};
  const absl::Status failure = FailureOf(said);
  if (!failure.ok()) co_return Annotate(failure, "volume " + volume->name);
  // It came with a node that was not known to have it when this create began.
  if (!made) {
    co_return FailedPrecondition("volume " + volume->name + " is on node " + node->name +
                                 " already: try again");
  }
  volume->node = node->address;
  context->fresh_volumes().Remember(volume->name, {node->address, volume->body, id, now});
  co_return absl::OkStatus();
}

Task<absl::Status> BringNamedNetwork(ContextPointer context, NodePointer node, std::string name) {
  const std::vector<std::string> names = {NetworkLock(name)};
  const absl::Status locked = co_await LockNames(context->locks(), names);
  if (!locked.ok()) co_return locked;
  const HeldNames held(context, names);
  const FoundNetworks found = co_await FindNetworks(context);
  absl::StatusOr<std::vector<NetworkCopy>> copies = MatchNetwork(found, name);
  absl::Status brought = FailedPrecondition("network " + name + " was removed meanwhile");
  if (copies.ok() && !copies->empty()) {
    std::vector<NetworkCopy> known = *std::move(copies);
    brought = co_await BringNetwork(context, node, std::move(known));
  }
  co_return brought;
}

Task<absl::Status> PrepareNodeFor(std::shared_ptr<Attachments> attachments, std::string address) {
  const ContextPointer context = attachments->context;
  const NodePointer node = context->cluster().FindNode(address);
  if (!node) co_return Unavailable("the node " + address + " has just left the cluster: try again");
  // Where the filter of constraints is switched off nobody else sees to it.
  for (const Attachments::Pin& pin : attachments->pins) {
    const bool fits = std::any_of(pin.nodes.begin(), pin.nodes.end(),
                                  [&](const NodePointer& one) { return one->address == address; });
    if (!fits) co_return FailedPrecondition(pin.text + ", the container would go to " + node->name);
  }
  for (Attachments::Volume& volume : attachments->volumes) {
    Attachments::Volume* const wanted = &volume;
    absl::Status brought = co_await BringVolume(context, node, wanted);
    if (!brought.ok()) co_return brought;
  }
  for (const std::string& name : attachments->networks) {
    absl::Status brought = co_await BringNamedNetwork(context, node, name);
    if (!brought.ok()) co_return brought;
  }
  co_return absl::OkStatus();
}

Task<void> RunPrepare(std::shared_ptr<Attachments> attachments, std::string address,
                      Callback<absl::Status> done) {
  absl::Status status = Internal("what the container is attached to could not be made ready");
  try {
    status = co_await PrepareNodeFor(std::move(attachments), std::move(address));
  } catch (const std::exception& fault) {
    status = Annotate(status, fault.what());
  }
  done(std::move(status));
}

// What has to be held while it is made. A project is held until its first container is there.
std::vector<std::string> LocksFor(Context& context, const ParsedCreate& parsed,
                                  const FoundVolumes& found, const std::string& project) {
  std::vector<std::string> names;
  for (const NamedVolume& volume : parsed.volumes) {
    if (IsUnsettled(context, found, volume.name)) names.push_back(VolumeLock(volume.name));
  }
  if (!project.empty() && !parsed.networks.empty() &&
      NodesOfProject(context, project, parsed.networks).empty()) {
    names.push_back("compose " + project);
  }
  return names;
}

std::vector<std::string> NamesOfVolumes(const ParsedCreate& parsed) {
  std::vector<std::string> names;
  for (const NamedVolume& volume : parsed.volumes) names.push_back(volume.name);
  return names;
}

// Wishes are followed all together or not at all, so none of ours is put beside the container's
// own.
bool HasOwnWishes(const ContainerSpec& spec) {
  const auto soft = [](const Expression& expression) { return expression.soft; };
  return std::any_of(spec.constraints.begin(), spec.constraints.end(), soft) ||
         std::any_of(spec.affinities.begin(), spec.affinities.end(), soft);
}

// All that is found goes into `to`.
Task<absl::Status> Collect(std::shared_ptr<Attachments> to, ParsedCreate* parsed,
                           FoundVolumes found) {
  const HoldersByVolume down = DownHolders(*to->context, NamesOfVolumes(*parsed));
  for (const NamedVolume& volume : parsed->volumes) {
    if (absl::Status added = AddVolume(*to, found, down, volume); !added.ok()) co_return added;
  }
  FoundNetworks networks;
  if (!parsed->networks.empty()) networks = co_await FindNetworks(to->context);
  const NetworkIndex index(networks);
  NetworkNames names;
  for (const std::string& reference : parsed->networks) {
    absl::Status added = AddNetwork(*to, networks.silent, index, reference, names);
    if (!added.ok()) co_return added;
  }
  if (!names.changed.empty()) parsed->body = WithNetworkNames(parsed->body, names.changed);
  if (to->project.empty()) {
    if (!HasOwnWishes(parsed->spec)) {
      to->home =
          NodesAt(*to->context, NodesInNetworks(*to->context, to->networks, networks.copies));
    }
    co_return absl::OkStatus();
  }
  if (names.local.empty()) {
    // A wish that no node can meet would silence the container's own wishes.
    to->prefers_project = !NodesOfProject(*to->context, to->project, {}).empty();
  } else if (!PinToProject(*to, names.local)) {
    const std::vector<std::string> home =
        co_await HomeOf(to->context, to->project, networks.copies);
    to->home = NodesAt(*to->context, home);
  }
  co_return absl::OkStatus();
}

}  // namespace

Task<absl::StatusOr<std::shared_ptr<Attachments>>> FindAttachments(ContextPointer context,
                                                                   ParsedCreate* parsed) {
  const std::string project = ProjectOf(*parsed);
  if (parsed->volumes.empty() && parsed->networks.empty() && project.empty()) {
    co_return std::shared_ptr<Attachments>();
  }
  auto attachments = std::make_shared<Attachments>();
  attachments->context = context;
  attachments->project = project;
  FoundVolumes found = co_await FindVolumes(context, NamesOfVolumes(*parsed));
  std::vector<std::string> locks = LocksFor(*context, *parsed, found, project);
  if (!locks.empty()) {
    const absl::Status locked = co_await LockNames(context->locks(), locks);
    if (!locked.ok()) co_return locked;
    attachments->locked = HeldNames(context, std::move(locks));
    // Others may have made something while this one waited.
    found = co_await FindVolumes(context, NamesOfVolumes(*parsed));
  }
  const absl::Status collected = co_await Collect(attachments, parsed, std::move(found));
  if (!collected.ok()) co_return collected;
  co_return attachments;
}

void Apply(const std::shared_ptr<Attachments>& attachments, CreateRequest& request) {
  ContainerSpec& spec = request.spec;
  for (const Attachments::Pin& pin : attachments->pins) {
    spec.constraints.push_back(OneOf(pin.text, pin.nodes, false));
  }
  if (!attachments->avoided.empty()) {
    Expression elsewhere =
        OneOf("a network of the same name is on " + NamesOf(attachments->avoided) + " already",
              attachments->avoided, false);
    elsewhere.op = Expression::Operator::kNotEqual;
    spec.constraints.push_back(std::move(elsewhere));
  }
  if (!attachments->home.empty()) {
    const std::string whose =
        attachments->project.empty() ? "the network" : "compose project " + attachments->project;
    const std::string text = whose + " has its place on " + NamesOf(attachments->home);
    spec.constraints.push_back(OneOf(text, attachments->home, true));
  }
  if (attachments->prefers_project) {
    Expression together;
    together.key = kComposeProjectLabel;
    together.soft = true;
    together.value = attachments->project;
    together.text = std::string(kComposeAffinity) + attachments->project;
    spec.affinities.push_back(std::move(together));
  }
  if (attachments->pins.empty() && attachments->volumes.empty() && attachments->networks.empty())
    return;
  request.prepare = [attachments](std::string address, Callback<absl::Status> done) {
    Loop* const loop = Loop::Current();
    SWARM_CHECK(loop != nullptr, "creates run on a Loop");
    loop->Spawn(RunPrepare(attachments, std::move(address), std::move(done)));
  };
}

Task<void> Release(std::shared_ptr<Attachments> attachments, bool created) {
  const ContextPointer context = attachments->context;
  for (const Attachments::Volume& volume : attachments->volumes) {
    if (created) {
      context->fresh_volumes().Forget(volume.name);
      continue;
    }
    if (volume.asked_for || volume.node.empty()) continue;
    const absl::Status gone = co_await Unmake(context, volume.name, volume.node);
    if (gone.ok()) context->fresh_volumes().Forget(volume.name);
  }
  attachments->locked.GiveBack();
}

}  // namespace swarm
