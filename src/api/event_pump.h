// Whose turn it is among the event listeners of a loop.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "async/loop.h"
#include "base/sweep.h"
#include "swarmlib/cluster.h"

namespace swarm {

// Wakes the listeners of one loop when there is a new event, and lets a few of them at a time write
// what they have, so that thousands of them hold up no other request. On the loop.
class EventPump : public std::enable_shared_from_this<EventPump> {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // Writes a little. The pump comes back only when it is asked to.
    virtual void TakeTurn() = 0;
  };

  EventPump(Loop& loop, Cluster& cluster) : loop_(loop), cluster_(cluster) {}

  // The cluster is subscribed to from the first Join to the last Leave.
  void Join();
  void Leave();

  // Calls TakeTurn once, behind those that asked before.
  void Run(std::weak_ptr<Listener> listener);
  // The same when there is a new event.
  void RunAtNews(std::weak_ptr<Listener> listener);

 private:
  void Subscribe();
  void OnNews();
  void Schedule();
  void Turn();

  Loop& loop_;
  Cluster& cluster_;
  std::size_t joined_ = 0;
  std::unique_ptr<Subscription> subscription_;
  std::vector<std::weak_ptr<Listener>> waiting_;
  Sweep left_;  // those of `waiting_` that are gone
  std::deque<std::weak_ptr<Listener>> ready_;
  bool scheduled_ = false;
};

}  // namespace swarm
