// The second half of a move: from when the new container is made until it has the old one's place.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "api/context.h"

namespace swarm {

struct Handover {
  ContextPointer context;
  ContainerPointer old_one, new_one;
  std::string name;        // the old one's
  std::string body;        // of the create: what the old one was when the new one was made
  std::string stop_query;  // "t=30"
};

// Stops the old one if it is up, starts the new one then and looks whether it stays up, removes the
// old one and gives the new one its name. What is to be said of it, or nothing. Each error says
// what there is now; the new one is taken away again wherever the old one can go on.
Task<absl::StatusOr<std::string>> HandOver(Handover handover);

// Removes the new one; the error to answer with, which says what could not be done. `restart`: the
// old one was stopped and is started again, unless the new one may run and could not be removed.
Task<absl::Status> TakeBack(Handover handover, absl::Status why, bool restart, bool new_may_run);

}  // namespace swarm
