// A cluster of engines that answer what a test tells them. On one loop.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "api/output.h"
#include "async/loop.h"
#include "swarmlib/cluster.h"
#include "swarmlib/status.h"

namespace swarm::testing {

// One request as an engine saw it.
struct Seen {
  std::string node;  // name
  std::string way;   // call, open, upgrade
  std::string line;  // "GET /v1.41/containers/.../json"
  Headers headers;
  std::string body;
  bool has_body_stream = false;
  bool wants_upgrade = false;
  CallOptions options;
};

using Script = std::function<absl::StatusOr<Reply>(const Seen& seen)>;

class FakeEngine final : public BackendClient {
 public:
  // The bodies of uploads by node name, when they are kept.
  using Uploads = std::map<std::string, std::unique_ptr<Stream>>;

  FakeEngine(std::string node, std::vector<Seen>& seen, Script& script, Uploads* uploads)
      : node_(std::move(node)), seen_(seen), script_(script), uploads_(uploads) {}

  // For a script: the engine says nothing at all.
  static absl::Status Silence() { return absl::DataLossError("silence"); }

  void Call(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Answer("call", std::move(request), std::move(options), std::move(done));
  }
  void Open(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Answer("open", std::move(request), std::move(options), std::move(done));
  }
  void Upgrade(Request request, CallOptions options, ResultCallback<Reply> done) override {
    Answer("upgrade", std::move(request), std::move(options), std::move(done));
  }

 private:
  void Answer(std::string way, Request request, CallOptions options, ResultCallback<Reply> done) {
    Seen seen{node_,
              way,
              request.method + " " + request.target,
              request.headers,
              request.body,
              request.body_stream != nullptr,
              request.wants_upgrade,
              std::move(options)};
    seen_.push_back(seen);
    if (seen.has_body_stream && uploads_ != nullptr)
      (*uploads_)[node_] = std::move(request.body_stream);
    absl::StatusOr<Reply> reply = script_ ? script_(seen) : Reply();
    if (absl::IsDataLoss(reply.status())) return EndWhenStopped(seen.options.stop, std::move(done));
    // Open gives every body as a stream.
    if (reply.ok() && way == "open" && !reply->body_stream) {
      auto output = std::make_shared<Output>(*Loop::Current(), 1U << 20U);
      output->Write(reply->body);
      output->End();
      reply->body_length = reply->body.size();
      reply->body.clear();
      reply->body_stream = output->Reader();
    }
    Loop::Current()->Post(
        [done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
  }

  // As a real client: a call that is stopped ends as Cancelled. What waits holds this engine.
  void EndWhenStopped(const std::stop_token& stop, ResultCallback<Reply> done) {
    auto waiting = std::make_shared<ResultCallback<Reply>>(std::move(done));
    auto end = [waiting, loop = Loop::Current()] {
      loop->Post([done = std::exchange(*waiting, nullptr)]() mutable {
        if (done) done(Cancelled("the call was stopped"));
      });
    };
    unanswered_.push_back(std::make_unique<StopCallback>(stop, std::move(end)));
  }

  using StopCallback = std::stop_callback<std::function<void()>>;

  std::string node_;
  std::vector<Seen>& seen_;
  Script& script_;
  Uploads* uploads_;
  std::vector<std::unique_ptr<StopCallback>> unanswered_;
};

class FakeSubscription final : public Subscription {
 public:
  explicit FakeSubscription(int& count) : count_(count) { ++count_; }
  ~FakeSubscription() override { --count_; }

 private:
  int& count_;
};

class FakeCluster final : public Cluster {
 public:
  // Nodes by name; an engine each.
  NodePointer AddNode(const std::string& name, const std::string& api, const std::string& least,
                      NodeState state = NodeState::kHealthy) {
    auto node = std::make_shared<Node>();
    node->name = name;
    node->address = "10.0.0." + std::to_string(nodes.size() + 1) + ":2375";
    node->id = "ID-" + name;
    node->ip = "10.0.0." + std::to_string(nodes.size() + 1);
    node->state = state;
    node->api_version = api;
    node->min_api_version = least;
    node->os = "linux";
    nodes.push_back(node);
    ++generation_number;
    engines[node->address] = std::make_shared<FakeEngine>(name, seen, script, keep_uploads);
    return node;
  }

  // Replaces a node by a changed copy, in its containers too.
  void ChangeNode(const std::string& name, const std::function<void(Node&)>& change) {
    for (NodePointer& node : nodes) {
      if (node->name != name) continue;
      auto changed = std::make_shared<Node>(*node);
      change(*changed);
      for (ContainerPointer& entry : containers) {
        if (entry->node != node) continue;
        auto copy = std::make_shared<ContainerEntry>(*entry);
        copy->node = changed;
        entry = copy;
      }
      node = changed;
    }
    ++generation_number;
  }

  // Replaces a container by a changed copy.
  void Change(const std::string& name, const std::function<void(Container&)>& change) {
    for (ContainerPointer& entry : containers) {
      if (entry->container.names.front() != name) continue;
      auto copy = std::make_shared<ContainerEntry>(*entry);
      change(copy->container);
      entry = copy;
    }
    ++generation_number;
  }

  std::vector<NodePointer> Nodes() const override { return nodes; }

  bool Ready() const override { return ready; }
  void WhenReady(Callback<> done) override { when_ready.push_back(std::move(done)); }
  void WhenRead(Duration, Callback<> done) override {
    if (all_read) return done();
    when_read.push_back(std::move(done));
  }
  void BecomeRead() {
    all_read = true;
    for (Callback<>& callback : std::exchange(when_read, {})) callback();
  }
  void BecomeReady() {
    ready = true;
    for (Callback<>& callback : std::exchange(when_ready, {})) callback();
  }

  NodePointer FindNode(std::string_view reference) const override {
    for (const NodePointer& node : nodes) {
      if (node->name == reference || node->id == reference || node->address == reference)
        return node;
    }
    return nullptr;
  }

  ClusterTotals Totals() const override { return totals; }
  NodeTotals TotalsOf(std::string_view) const override { return {}; }
  std::string strategy() const override { return "spread"; }
  std::vector<std::string> filters() const override { return {"health", "port"}; }

  absl::StatusOr<ContainerPointer> FindContainer(std::string_view reference) const override {
    if (const auto found = find_errors.find(std::string(reference)); found != find_errors.end()) {
      return found->second;
    }
    for (const ContainerPointer& entry : containers) {
      const std::string& name = entry->container.names.front();
      if (entry->container.id == reference || entry->container.id.substr(0, 12) == reference ||
          name == reference || entry->node->name + "/" + name == reference) {
        return entry;
      }
    }
    return NotFound("unknown to the fake");
  }

  std::vector<ContainerPointer> Containers() const override {
    std::vector<ContainerPointer> sorted = containers;
    std::sort(sorted.begin(), sorted.end(),
              [](const ContainerPointer& left, const ContainerPointer& right) {
                if (left->container.created != right->container.created) {
                  return left->container.created > right->container.created;
                }
                return left->node->name < right->node->name;
              });
    return sorted;
  }
  // Groups of two keep their identity as long as they hold the same entries.
  ContainerGroups ContainersInGroups() const override {
    const std::vector<ContainerPointer> all = Containers();
    ContainerGroups now;
    for (std::size_t at = 0; at < all.size(); at += 2) {
      ContainerGroup entries(
          all.begin() + static_cast<std::ptrdiff_t>(at),
          all.begin() + static_cast<std::ptrdiff_t>(std::min(at + 2, all.size())));
      const auto same = std::find_if(groups.begin(), groups.end(),
                                     [&](const auto& group) { return *group == entries; });
      now.push_back(same != groups.end()
                        ? *same
                        : std::make_shared<const ContainerGroup>(std::move(entries)));
    }
    groups = now;
    return now;
  }
  std::uint64_t generation() const override { return generation_number; }

  void Cordon(std::string node_address, bool cordoned, Callback<absl::Status> done) override {
    absl::Status status = NotFound("unknown to the fake");
    if (const NodePointer node = FindNode(node_address)) {
      ChangeNode(node->name, [cordoned](Node& changed) { changed.cordoned = cordoned; });
      status = absl::OkStatus();
    }
    Loop::Current()->Post(
        [done = std::move(done), status = std::move(status)]() mutable { done(status); });
  }

  std::vector<std::shared_ptr<const ImageEntry>> Images() const override { return images; }
  void RefreshImages(std::string node_address, Callback<absl::Status> done) override {
    refreshed_images.push_back(FindNode(node_address)->name);
    Loop::Current()->Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
  }

  std::shared_ptr<BackendClient> EngineClient(std::string_view node_address) override {
    const auto found = engines.find(std::string(node_address));
    return found == engines.end() ? nullptr : found->second;
  }

  void CreateContainer(CreateRequest request, ResultCallback<CreateResult> done) override {
    if (request.prepare) {
      prepared.push_back(nodes.front()->name);
      PrepareNode prepare = std::exchange(request.prepare, nullptr);
      prepare(nodes.front()->address, [this, request = std::move(request),
                                       done = std::move(done)](absl::Status ready) mutable {
        if (ready.ok()) return CreateContainer(std::move(request), std::move(done));
        done(std::move(ready));
      });
      return;
    }
    created.push_back(request);
    absl::StatusOr<CreateResult> result = create(created.back());
    Loop::Current()->Post([done = std::move(done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }
  // Every healthy node, in the order of adding.
  absl::StatusOr<Explanation> Plan(const ContainerSpec& spec) override {
    planned.push_back(spec);
    Explanation explanation;
    for (const NodePointer& node : nodes) {
      if (node->state == NodeState::kHealthy)
        explanation.candidates.push_back({node->address, node->name, 0, false});
    }
    return explanation;
  }

  void Operate(ContainerOperation operation, ResultCallback<Reply> done) override {
    operated.push_back(std::move(operation));
    absl::StatusOr<Reply> reply = operate(operated.back());
    Loop::Current()->Post(
        [done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
  }
  void RefreshContainer(ContainerPointer entry, Callback<absl::Status> done) override {
    refreshed.push_back(entry->container.names.front());
    if (refresh_hangs) {
      hanging.push_back(std::move(done));
      return;
    }
    Loop::Current()->Post([done = std::move(done)]() mutable { done(absl::OkStatus()); });
  }

  std::unique_ptr<Subscription> Subscribe(
      std::function<void(std::shared_ptr<const ClusterEvent>)> new_sink) override {
    sink = std::move(new_sink);
    return std::make_unique<FakeSubscription>(subscriptions);
  }
  // As the cluster does: kept, and the subscriber is told. On the loop.
  void Publish(const std::shared_ptr<const ClusterEvent>& event) {
    const bool kept = !ring.empty() && ring.back()->sequence >= event->sequence;
    if (!kept) ring.push_back(event);
    if (sink) sink(event);
  }
  // The oldest ones have left the history.
  void Drop(std::size_t count) {
    dropped += count;
    while (count-- > 0 && !ring.empty()) ring.pop_front();
    if (sink) sink(nullptr);
  }
  KeptEvents EventsBetween(std::int64_t since_nano, std::int64_t until_nano) const override {
    ++copies_of_nodes;
    KeptEvents found;
    found.nodes = kept_of_nodes;
    for (const auto& event : ring) {
      found.newest = std::max(found.newest, event->sequence);
      const auto node = found.nodes.find(event->node);
      if (event->action == "events_lost" && node != found.nodes.end())
        node->second.lost_at = event->time_nano;
      if (event->time_nano >= since_nano && event->time_nano <= until_nano)
        found.events.push_back(event);
    }
    return found;
  }
  EventPage EventsAfter(std::uint64_t after, std::size_t most) const override {
    EventPage page;
    page.lost = dropped > after;
    auto at = std::upper_bound(
        ring.begin(), ring.end(), after,
        [](std::uint64_t sequence, const auto& event) { return sequence < event->sequence; });
    for (; at != ring.end() && page.events.size() < most; ++at) page.events.push_back(*at);
    return page;
  }
  // The ring of a test is in the order of time too.
  EventPage EventsBehind(const EventPlace& place, std::int64_t until_nano, std::uint64_t before,
                         std::size_t most) const override {
    EventPage page;
    page.lost = dropped > before;
    auto at = std::partition_point(ring.begin(), ring.end(), [&place](const auto& event) {
      return event->time_nano < place.time_nano ||
             (event->time_nano == place.time_nano && event->sequence <= place.sequence);
    });
    for (; at != ring.end() && page.events.size() < most; ++at) {
      if ((*at)->time_nano <= until_nano) page.events.push_back(*at);
    }
    return page;
  }
  std::uint64_t DroppedEvents() const override { return dropped; }

  void RememberExec(std::string exec_id, ContainerPointer entry) override {
    execs.try_emplace(std::move(exec_id), entry->container.node);
  }
  void FindExec(std::string exec_id, ResultCallback<std::string> done) override {
    absl::StatusOr<std::string> found = NotFound("no engine knows it");
    if (const auto exec = execs.find(exec_id); exec != execs.end()) found = exec->second;
    Loop::Current()->Post(
        [done = std::move(done), found = std::move(found)]() mutable { done(std::move(found)); });
  }

  std::vector<NodePointer> nodes;
  std::vector<ContainerPointer> containers;
  mutable ContainerGroups groups;  // as given out last
  std::vector<std::shared_ptr<const ImageEntry>> images;
  std::deque<std::shared_ptr<const ClusterEvent>> ring;
  std::uint64_t dropped = 0;                                             // events that left it
  mutable std::size_t copies_of_nodes = 0;                               // by EventsBetween
  std::map<std::string, KeptEvents::OfNode, std::less<>> kept_of_nodes;  // by address
  std::map<std::string, absl::Status> find_errors;
  std::map<std::string, std::string> execs;
  std::map<std::string, std::shared_ptr<FakeEngine>> engines;
  std::vector<Seen> seen;
  Script script;
  FakeEngine::Uploads* keep_uploads = nullptr;  // set before nodes are added
  bool ready = true;
  std::vector<Callback<>> when_ready;
  bool all_read = true;
  std::vector<Callback<>> when_read;
  ClusterTotals totals;
  std::uint64_t generation_number = 1;
  std::deque<CreateRequest> created;
  std::vector<ContainerSpec> planned;
  std::vector<std::string> prepared;  // nodes; creates go to the first
  std::function<absl::StatusOr<CreateResult>(const CreateRequest&)> create =
      [](const CreateRequest&) {
        CreateResult result;
        result.reply.status = 201;
        result.reply.body = "{\"Id\":\"abc\",\"Warnings\":[]}\n";
        return result;
      };
  std::deque<ContainerOperation> operated;
  std::function<absl::StatusOr<Reply>(const ContainerOperation&)> operate =
      [](const ContainerOperation&) {
        Reply reply;
        reply.status = 204;
        return reply;
      };
  std::vector<std::string> refreshed, refreshed_images;
  bool refresh_hangs = false;
  std::vector<Callback<absl::Status>> hanging;
  std::function<void(std::shared_ptr<const ClusterEvent>)> sink;
  int subscriptions = 0;
};

}  // namespace swarm::testing
