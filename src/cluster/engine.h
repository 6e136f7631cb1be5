// One engine of the cluster: its client, its health, and the guard before real calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "async/loop.h"
#include "cluster/shared_state.h"
#include "cluster/tasks.h"
#include "cluster/under_way.h"
#include "swarmlib/backend.h"
#include "swarmlib/model.h"
#include "swarmlib/random.h"

namespace swarm {

struct Hub;
class GuardedClient;

// True for errors by which an engine shows that it is not well: not reached, no answer in time, an
// answer cut off. False for what the caller or the manager did itself.
bool IsEngineFailure(const absl::Status& status);

// Lives in a shared_ptr. Belongs to one loop, its home; calls may be made from any.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  Engine(std::shared_ptr<Hub> hub, std::string address, Loop* home,
         std::unique_ptr<BackendClient> client, std::uint64_t seed);
  ~Engine();

  // --- any thread
  // ------------------------------------------------------------------------------------------
  const std::string& address() const { return address_; }
  // Of the address, without brackets: a name or an IP.
  const std::string& host() const { return host_; }
  Hub& hub() const { return *hub_; }
  const std::shared_ptr<Hub>& shared_hub() const { return hub_; }
  Loop* home() const { return home_; }
  Member member() const { return member_; }
  // Unguarded and uncounted: for the watcher and for readings after a call.
  BackendClient& client() { return *client_; }
  // Refuses at once while the engine is not healthy; counts failures.
  std::shared_ptr<BackendClient> guard();
  bool healthy() const { return healthy_.load(std::memory_order_acquire); }
  // Unavailable: "node NAME (ADDRESS) is not healthy: REASON".
  absl::Status Refusal() const;
  // "NAME (ADDRESS)", or the address while the name is not known.
  std::string Label() const;
  // "/v1.41": the version that the cluster itself speaks to it.
  std::string version_prefix() const;
  // Asked to stop when the engine stops being healthy, or leaves.
  std::stop_token health_token() const;
  UnderWay& under_way() { return under_way_; }
  // How a call ended that was begun at `began`. One that was not answered in time is a failure only
  // if a ping beside is not answered either: an engine makes who asks for a container wait while it
  // starts that one.
  void NoteOutcome(const absl::Status& outcome, TimePoint began);

  // --- home loop
  // ------------------------------------------------------------------------------------------- As
  // published last.
  const Node& node() const { return node_; }
  bool stopping() const { return stopping_; }
  bool was_healthy() const { return was_healthy_; }
  int attempts() const { return attempts_; }  // since it was healthy last
  Random& random() { return random_; }
  Pause& pause() { return pause_; }
  std::stop_token stop_token() const { return stop_.get_token(); }

  void SetMember(Member member) { member_ = member; }  // before Start
  // Takes the description of `node` (not its state) without publishing it.
  void Describe(Node node);
  // Labels that it has and the cluster does not take: logged once, and again when they change.
  void NoteDroppedLabels(std::vector<std::string> quoted);
  // Any answer heals the count.
  void NoteSuccess();
  // Counts once an incident: a call begun before the last counted failure ended tells nothing new.
  void NoteFailure(const absl::Status& failure, TimePoint began);
  // Not an engine of this cluster (any more): shown as pending with the reason, holds nothing.
  void Refuse(const absl::Status& reason);
  // The state was read whole, in a reading begun at `began`, and its containers are published:
  // publishes the rest, and heals.
  void PublishHealthy(std::uint64_t read, TimePoint began, EngineContents contents);
  // Whether its images could be read, while it answered; a failure is logged once.
  void NoteImages(const absl::Status& outcome);
  // A try to connect has ended, well or not.
  void NoteAttempt();
  // Publishes that the node gets no new containers, or that it does again.
  void SetCordoned(bool cordoned);
  // Ends the watching. The engine has left the cluster, or the cluster closes.
  void Stop(bool left);

 private:
  void PublishNode();
  void BecomeUnhealthy(const std::string& reason);
  // NoteFailure, unless the engine answers a ping.
  void NoteSilence(const absl::Status& failure, TimePoint began);
  void SetHealthy(bool healthy);
  void PublishNodeEvent(const char* action);

  const std::shared_ptr<Hub> hub_;
  const std::string address_;
  const std::string host_;
  Loop* const home_;
  const std::unique_ptr<BackendClient> client_;
  const std::unique_ptr<GuardedClient> guard_;
  Member member_ = 0;
  UnderWay under_way_;

  std::atomic<bool> healthy_{false};
  std::atomic<int> failures_{0};    // = node_.failures
  mutable std::mutex shown_mutex_;  // of the four below
  std::string shown_name_;
  std::string version_prefix_;
  std::string shown_error_;
  std::stop_source health_stop_;

  Node node_;
  bool stopping_ = false;
  bool was_healthy_ = false;
  int attempts_ = 0;
  std::vector<std::string> dropped_labels_;  // as logged last
  TimePoint last_counted_ = TimePoint::min();
  bool pings_beside_ = false;
  bool misses_images_ = false;  // they could not be read last time
  Random random_;
  Pause pause_;
  std::stop_source stop_;
};

}  // namespace swarm
