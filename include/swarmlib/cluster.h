// What the API room may ask of a cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/backend.h"
#include "swarmlib/callback.h"
#include "swarmlib/event.h"
#include "swarmlib/model.h"

namespace swarm {

// A row of a container list as kept bytes: head + the JSON string of the status text + tail is one
// JSON object.
struct ListFragment {
  std::string head;
  std::string tail;

  friend bool operator==(const ListFragment&, const ListFragment&) = default;
};

// A container as wire read it from an engine, with its kept list row.
struct ContainerRecord {
  Container container;
  ListFragment row;
};

// One container with what lists need. Immutable.
struct ContainerEntry {
  Container container;
  std::shared_ptr<const Node> node;  // as it was when the entry was published
  ListFragment row;
};

using ContainerPointer = std::shared_ptr<const ContainerEntry>;
using NodePointer = std::shared_ptr<const Node>;

// Containers that follow each other in the list of all. Immutable, never empty.
using ContainerGroup = std::vector<ContainerPointer>;
using ContainerGroups = std::vector<std::shared_ptr<const ContainerGroup>>;

// One image on one node, with the engine's own list row (a JSON object).
struct ImageEntry {
  Image image;
  std::string node;  // Node::address
  std::string row;
};

// Counters kept up to date, never counted when asked.
struct ClusterTotals {
  std::int64_t containers = 0, running = 0, paused = 0, stopped = 0;
  std::int64_t images = 0;
  Resources total;  // with overcommit
};

struct NodeTotals {
  std::int64_t containers = 0, running = 0, paused = 0, stopped = 0;
  Resources reserved;
  Resources total;  // with overcommit
};

// Makes ready what a container needs on the node with that address, and then calls back once. An
// error ends the create with it. Called on the loop of the create, each time a node is chosen,
// before its engine is asked.
using PrepareNode = std::function<void(std::string node_address, Callback<absl::Status> done)>;

// Pulls the image of a create on the node with that address, and then calls back once. Cancelled:
// nobody waits for the container any more. Called on the loop of the create, once at most, while
// the container's place on the node is held.
using PullOnNode = std::function<void(std::string node_address, Callback<absl::Status> done)>;

struct CreateRequest {
  ContainerSpec spec;
  std::string body;   // JSON to send: placement expressions stripped, labels written back
  std::string query;  // further query parameters to pass ("platform=linux/amd64"), without name
  std::string api_version;  // of the client, "1.41"
  PrepareNode prepare;      // may be null
  // For an image that the chosen node does not have and no other may be taken for: may be null.
  PullOnNode pull;
  bool pull_unknown = false;  // also an image that no node has
  // The callback need not wait until the container is read from its engine. Until then, for about
  // 0.1 s, it is known as the request describes it, without what comes from its image (labels,
  // exposed ports) and from the engine (networks, mounts): WhenRead waits for the rest.
  bool may_be_read_later = false;
};

struct CreateResult {
  Reply reply;  // the engine's own
  ContainerPointer entry;
};

// What the manager has kept of a span of time.
struct KeptEvents {
  // What is kept of one node: all its events from `whole_since` on, by its engine's clock.
  struct OfNode {
    std::int64_t whole_since = 0;  // nanoseconds since 1970
    std::size_t count = 0;         // of events of its engine that are kept, in the span or not
    // The time of the latest `events_lost` of its engine since it is followed; 0 = none.
    std::int64_t lost_at = 0;
  };
  // Oldest first, equal times by node name.
  std::vector<std::shared_ptr<const ClusterEvent>> events;
  // By address. Nodes whose events were never followed are not named.
  std::map<std::string, OfNode, std::less<>> nodes;
  std::uint64_t newest = 0;  // the sequence of the newest event of all when this was made
};

// A place among the kept events by time: behind the event of that time, node and sequence. The
// order is that of KeptEvents::events.
struct EventPlace {
  std::int64_t time_nano = 0;
  std::string node_name, node;
  std::uint64_t sequence = 0;
};

// Some of the kept events, in order.
struct EventPage {
  std::vector<std::shared_ptr<const ClusterEvent>> events;
  // Some that stood behind the place that was asked for are not kept any more.
  bool lost = false;
};

// start, stop, restart, kill, pause, unpause, update, rename, remove: what changes a container's
// state.
struct ContainerOperation {
  enum class Verb { kStart, kStop, kRestart, kKill, kPause, kUnpause, kUpdate, kRename, kRemove };
  Verb verb = Verb::kStart;
  ContainerPointer entry;
  std::string query;  // as to be sent to the engine, without "?"
  std::string body;
  Headers headers;
  std::string api_version;
  std::string new_name;             // kRename
  std::optional<Resources> update;  // kUpdate: what the request sets, to be re-checked
  bool may_be_read_later = false;   // kStart: as CreateRequest::may_be_read_later
};

// Ends the subscription when destroyed.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

// Any thread may call; callbacks come on the caller's loop. Entries handed out stay valid and
// unchanged.
class Cluster {
 public:
  virtual ~Cluster() = default;

  // True once every engine that discovery named first was read, or was found not to answer. Until
  // then a container may be on an engine whose containers are not known yet.
  virtual bool Ready() const = 0;
  // Calls back when Ready() becomes true, or when the cluster is stopped before.
  virtual void WhenReady(Callback<> done) = 0;
  // Inspects what may_be_read_later has deferred. Calls back once that is published, in the call
  // itself when nothing is. A container whose inspect takes longer than 2 s is not waited for again
  // until it was read, nor are inspects that were begun more than `patience` ago.
  virtual void WhenRead(Duration patience, Callback<> done) = 0;

  // By node name, then address.
  virtual std::vector<NodePointer> Nodes() const = 0;
  // By name, ID or address; null when unknown.
  virtual NodePointer FindNode(std::string_view reference) const = 0;
  virtual ClusterTotals Totals() const = 0;
  virtual NodeTotals TotalsOf(std::string_view node_address) const = 0;
  virtual std::string strategy() const = 0;
  virtual std::vector<std::string> filters() const = 0;

  // By full id, 12 digits, swarm id, name, node/name, or id prefix, in this order. NotFound;
  // InvalidArgument (HTTP 400) when a prefix fits several; AlreadyExists (HTTP 409) when two nodes
  // hold the name.
  virtual absl::StatusOr<ContainerPointer> FindContainer(std::string_view reference) const = 0;
  // Newest created first; equal times by node name, then id. Cost: what it returns.
  virtual std::vector<ContainerPointer> Containers() const = 0;
  // The same in groups of at most some dozens. A group in which nothing has changed is the same
  // object from call to call, so that what was made of it can be kept.
  virtual ContainerGroups ContainersInGroups() const = 0;
  // Grows with every change of a container, a node or an image.
  virtual std::uint64_t generation() const = 0;

  // A cordoned node gets no new containers; what it holds may be started and changed. Kept in
  // memory, also while the address is out of discovery. The callback comes when no placement
  // chooses the node any more (or may again). NotFound: no node has the address.
  virtual void Cordon(std::string node_address, bool cordoned, Callback<absl::Status> done) = 0;

  // Every (image, node) pair, by image id, then node name.
  virtual std::vector<std::shared_ptr<const ImageEntry>> Images() const = 0;
  // Reads the images of a node again; the callback comes when Images() shows them.
  virtual void RefreshImages(std::string node_address, Callback<absl::Status> done) = 0;

  // The guarded way to one engine, or null when the address is unknown. Fails at once with
  // Unavailable naming the node while it is not healthy.
  virtual std::shared_ptr<BackendClient> EngineClient(std::string_view node_address) = 0;

  // Places, reserves, creates, publishes, then calls back. The errors of Scheduler::Choose;
  // AlreadyExists for a taken name; an engine's refusal comes as its own reply (CreateResult::entry
  // is then null).
  virtual void CreateContainer(CreateRequest request, ResultCallback<CreateResult> done) = 0;
  // Where it would go. Changes nothing.
  virtual absl::StatusOr<Explanation> Plan(const ContainerSpec& spec) = 0;
  // Carries out and publishes before calling back. Refused by the manager as an error; an engine's
  // own answer of any status as its reply.
  virtual void Operate(ContainerOperation operation, ResultCallback<Reply> done) = 0;
  // Reads one container again from its engine (after wait, exec, attach).
  virtual void RefreshContainer(ContainerPointer entry, Callback<absl::Status> done) = 0;

  // `sink` is called on the loop that called Subscribe, in order, until the subscription dies; null
  // = the subscriber was too slow (its queue of 10,000 was full) and is cut off.
  virtual std::unique_ptr<Subscription> Subscribe(
      std::function<void(std::shared_ptr<const ClusterEvent>)> sink) = 0;
  // Kept events with time_nano in [since, until].
  virtual KeptEvents EventsBetween(std::int64_t since_nano, std::int64_t until_nano) const = 0;
  // Kept events with a sequence above `after`, in the order of their arrival, `most` at most.
  virtual EventPage EventsAfter(std::uint64_t after, std::size_t most) const = 0;
  // Kept events by time behind `place` and up to `until_nano`, `most` at most. `dropped` is how
  // many had left the history before the reading began (DroppedEvents), for EventPage::lost.
  virtual EventPage EventsBehind(const EventPlace& place, std::int64_t until_nano,
                                 std::uint64_t dropped, std::size_t most) const = 0;
  // Events that have left the history so far.
  virtual std::uint64_t DroppedEvents() const = 0;

  // Exec ids, kept in memory (65,536 at most, oldest forgotten first); others are looked for on
  // every engine.
  virtual void RememberExec(std::string exec_id, ContainerPointer entry) = 0;
  // The address of the node that knows the exec id; NotFound.
  virtual void FindExec(std::string exec_id, ResultCallback<std::string> done) = 0;
};

}  // namespace swarm
