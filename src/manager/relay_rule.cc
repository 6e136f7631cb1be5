#include "manager/relay_rule.h"

#include <chrono>
#include <optional>
#include <utility>

#include "api/context.h"
#include "async/loop.h"
#include "backend/refusing_backend.h"
#include "backend/socket_backend.h"
#include "net/http_head.h"
#include "net/relay.h"
#include "swarmlib/status.h"
#include "wire/inspect_editor.h"

namespace swarm {
namespace {

// The cluster owns its clients alone; this lets the relays know whether one is still in use.
class SharedBackend final : public BackendClient {
 public:
  explicit SharedBackend(std::shared_ptr<BackendClient> inner) : inner_(std::move(inner)) {}
  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    inner_->Call(std::move(request), std::move(options), std::move(done));
  }
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override {
    inner_->Open(std::move(request), std::move(options), std::move(done));
  }
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override {
    inner_->Upgrade(std::move(request), std::move(options), std::move(done));
  }

 private:
  const std::shared_ptr<BackendClient> inner_;
};

// One loop's ways to the engines, so that a request takes no lock to find its own.
class Upstreams {
 public:
  explicit Upstreams(const SocketBackends& backends) : backends_(backends) {}

  std::shared_ptr<net::Client> To(std::string_view address) {
    const auto found = known_.find(address);
    if (found != known_.end() && !found->second.backend.expired()) return found->second.client;
    const std::shared_ptr<BackendClient> backend = backends_.Find(address);
    if (!backend) return nullptr;
    std::shared_ptr<net::Client> client = ClientOfThisLoop(*backend);
    if (!client) return nullptr;
    // Nodes come and go: what is known of those that went is dropped when another comes.
    std::erase_if(known_, [](const auto& entry) { return entry.second.backend.expired(); });
    known_.insert_or_assign(std::string(address), Known{backend, client});
    return client;
  }

 private:
  struct Known {
    std::weak_ptr<BackendClient> backend;
    std::shared_ptr<net::Client> client;
  };
  const SocketBackends& backends_;
  StringMap<Known> known_;
};

// Completes the inspect answers of one node.
class InspectEdit final : public net::BodyEdit {
 public:
  InspectEdit(std::shared_ptr<InspectEditor> editor, NodePointer node)
      : editor_(std::move(editor)), node_(std::move(node)) {}
  bool Append(std::string_view body, std::string* edited) override {
    return editor_->Append(body, node_, *edited).ok();
  }

 private:
  const std::shared_ptr<InspectEditor> editor_;
  const NodePointer node_;
};

// One loop's plans. Who asks for a container mostly asks again: a plan is kept while nothing in the
// cluster changes, for at most a second, since what is offered to clients may also change with
// time.
class Planner {
 public:
  Planner(const Api& api, const Cluster& cluster, const SocketBackends& backends)
      : api_(api),
        cluster_(cluster),
        upstreams_(backends),
        editor_(std::make_shared<InspectEditor>()) {}

  bool Plan(const net::RequestHead& head, net::Forward* forward) {
    if (head.method != "GET") return false;
    DropOldPlans();
    if (const auto found = kept_.find(head.target); found != kept_.end()) {
      Apply(found->second, forward);
      return true;
    }
    std::optional<Kept> made = Make(head);
    if (!made) return false;
    Apply(*made, forward);
    if (head.target.size() > kLongestKept) return true;
    if (kept_.size() >= kMostKept) kept_.clear();
    kept_.emplace(std::string(head.target), *std::move(made));
    return true;
  }

 private:
  static constexpr std::size_t kMostKept = 4096;    // plans; then all are dropped
  static constexpr std::size_t kLongestKept = 512;  // bytes of a target
  static constexpr Duration kKeep = std::chrono::seconds(1);

  struct Kept {
    std::shared_ptr<net::Client> upstream;
    std::string target;
    net::FieldLines common_fields;
    std::string_view route;
    std::shared_ptr<net::BodyEdit> edit;
    std::shared_ptr<const std::function<bool()>> is_healthy;
    Duration patience{};
  };

  static void Apply(const Kept& plan, net::Forward* forward) {
    forward->upstream = plan.upstream;
    forward->target = plan.target;
    forward->common_fields = plan.common_fields;
    forward->route = plan.route;
    forward->edit = plan.edit;
    forward->is_healthy = plan.is_healthy;
    forward->patience = plan.patience;
  }

  void DropOldPlans() {
    const std::uint64_t generation = api_.generation();
    const TimePoint now = Loop::Current()->clock().Now();
    if (generation == generation_ && now - since_ < kKeep) return;
    kept_.clear();
    generation_ = generation;
    since_ = now;
  }

  std::optional<Kept> Make(const net::RequestHead& head) {
    std::optional<ForwardPlan> plan = api_.FastForward(head.method, head.target);
    if (!plan) return std::nullopt;
    Kept made;
    made.upstream = upstreams_.To(plan->node_address);
    if (!made.upstream) return std::nullopt;
    made.target = std::move(plan->target);
    for (const auto& [name, value] : plan->reply_headers) {
      made.common_fields.Add(name, value);
    }
    made.route = plan->pattern;
    // As the handlers wait.
    made.patience = plan->pattern.ends_with("/export") ? kLongCall : kShortCall;
    made.is_healthy = std::make_shared<const std::function<bool()>>(
        [&cluster = cluster_, address = plan->node_address] {
          const NodePointer node = cluster.FindNode(address);
          return node && node->state == NodeState::kHealthy;
        });
    if (plan->inspected) {
      made.edit = std::make_shared<InspectEdit>(editor_, std::move(plan->inspected));
    }
    return made;
  }

  const Api& api_;
  const Cluster& cluster_;
  Upstreams upstreams_;
  const std::shared_ptr<InspectEditor> editor_;
  StringMap<Kept> kept_;  // by the client's target
  std::uint64_t generation_ = 0;
  TimePoint since_{};
};

}  // namespace

std::unique_ptr<BackendClient> SocketBackends::Make(const std::string& address) {
  auto client = MakeSocketBackend("tcp://" + address, tls_, resolve_);
  if (!client.ok()) return MakeRefusingBackend(Unavailable(MessageOf(client.status())));
  std::shared_ptr<BackendClient> shared = *std::move(client);
  const std::lock_guard lock(mutex_);
  if (all_.size() >= sweep_at_) {
    std::erase_if(made_, [](const auto& entry) { return entry.second.expired(); });
    std::erase_if(all_, [](const auto& backend) { return backend.expired(); });
    sweep_at_ = 2 * all_.size() + 16;
  }
  made_.insert_or_assign(address, shared);
  all_.push_back(shared);
  return std::make_unique<SharedBackend>(std::move(shared));
}

std::shared_ptr<BackendClient> SocketBackends::Find(std::string_view address) const {
  const std::lock_guard lock(mutex_);
  const auto found = made_.find(address);
  return found == made_.end() ? nullptr : found->second.lock();
}

void SocketBackends::CloseOnThisLoop() const {
  std::vector<std::shared_ptr<BackendClient>> living;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : all_) {
      if (std::shared_ptr<BackendClient> backend = one.lock()) living.push_back(std::move(backend));
    }
  }
  for (const auto& backend : living) swarm::CloseOnThisLoop(*backend);
}

net::ForwardRule MakeRelayRule(const Api& api, const Cluster& cluster,
                               const SocketBackends& backends) {
  auto planner = std::make_shared<Planner>(api, cluster, backends);
  return [planner](const net::RequestHead& head, net::Forward* forward) {
    return planner->Plan(head, forward);
  };
}

}  // namespace swarm
