// Whether this thread is in foreign code that decides about a placement, maybe with the cluster's
// state locked.
#pragma once

namespace swarm {

// Marks the calling thread for a scope: filters and strategies of the embedding program run in it,
// and what they call must not lock the state again.
class CallingOut {
 public:
  CallingOut();
  ~CallingOut();
  CallingOut(const CallingOut&) = delete;
  CallingOut& operator=(const CallingOut&) = delete;

  static bool Now();
};

}  // namespace swarm
