// What a container to be made is attached to, as demands on its node and as work to be done there
// first.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/context.h"
#include "api/held_names.h"
#include "wire/create.h"

namespace swarm {

// One create's networks and volumes. On one loop; the names that it locked are held until Release,
// or its end.
struct Attachments {
  // A volume that is not there yet, or may still move.
  struct Volume {
    std::string name;
    std::string node;        // address of the node that has it; empty = none yet
    std::string body;        // of the request that makes it
    bool asked_for = false;  // it was there before this create
  };

  ContextPointer context;
  HeldNames locked;
  std::vector<Volume> volumes;
  std::vector<std::string> networks;  // of the cluster, by name: to be brought to the node
  // Demands on the node: hard ones by the addresses that will do, and what says why.
  struct Pin {
    std::string text;
    std::vector<NodePointer> nodes;
  };
  std::vector<Pin> pins;
  std::vector<NodePointer> avoided;  // that cannot take one of the networks
  std::vector<NodePointer> home;     // preferred; empty = none are
  bool prefers_project = false;
  std::string project;
};

// Looks up what the body names, and takes locks where something may have to be made. In the body
// ids of networks become names. Null when it names nothing. Unavailable when a node that may have a
// volume does not answer. `parsed` outlives the call.
Task<absl::StatusOr<std::shared_ptr<Attachments>>> FindAttachments(ContextPointer context,
                                                                   ParsedCreate* parsed);

// Adds the demands to the request, and the work.
void Apply(const std::shared_ptr<Attachments>& attachments, CreateRequest& request);

// After the create: what was made for a container that was not is removed; locks are given back.
Task<void> Release(std::shared_ptr<Attachments> attachments, bool created);

}  // namespace swarm
