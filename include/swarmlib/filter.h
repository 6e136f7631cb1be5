// How a container's wishes become demands on nodes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/model.h"
#include "swarmlib/registry.h"

namespace swarm {

// A port of the host that is taken, and by whom.
struct PortHold {
  PortBinding port;
  std::string holder;  // a container's name
};

// What a filter may see of a node: an immutable picture, whole for the length of one call.
class NodeView {
 public:
  virtual ~NodeView() = default;
  virtual const Node& node() const = 0;
  // Containers on the node, pending creates included, in no stated order.
  virtual std::vector<const Container*> containers() const = 0;
  virtual std::vector<const Image*> images() const = 0;
  // By containers of every state, pending creates and updates under way.
  virtual Resources reserved() const = 0;
  // By containers that run, by those created and not yet started, and by starts under way.
  virtual std::vector<PortHold> held_ports() const = 0;
};

// Demands that the scheduler answers from its indexes, without looking at each node.
namespace term {
struct Healthy {};
// A label's value, or the node's name or ID for the key "node", matches.
struct Label {
  Expression expression;
};
// The node is one of these, by name.
struct NodeIn {
  std::vector<std::string> names;
};
// A container with that id, name (or, for any other key, that label value) is on the node.
struct HoldsContainer {
  Expression expression;
};
// The node holds every one of these containers, named as Docker names them.
struct HoldsAll {
  std::vector<std::string> references;
};
struct HoldsImage {
  Expression expression;
};
struct PortsFree {
  std::vector<PortBinding> ports;
  bool host_network = false;
};
struct SlotFree {};
// "linux/amd64": operating system and architecture.
struct Platform {
  std::string platform;
};
// Anything else: pure, same view same answer. Runs last, on pictures of the nodes left, and again
// for a node that changed before it was taken. Quick all the same, as it has a thread of the
// manager; it waits for nothing and calls no manager (whose calls then say FailedPrecondition).
struct Opaque {
  std::function<bool(const NodeView&)> holds;
};
}  // namespace term

using Term =
    std::variant<term::Healthy, term::Label, term::NodeIn, term::HoldsContainer, term::HoldsAll,
                 term::HoldsImage, term::PortsFree, term::SlotFree, term::Platform, term::Opaque>;

// One demand that a container makes on a node.
struct Rule {
  std::string text;   // shown to the user when no node is left: "zone==external"
  bool soft = false;  // dropped on the second pass
  Term term;
};

// Reads rules out of a container spec. Stateless, so any thread may call it; under the same terms
// as term::Opaque.
class Filter {
 public:
  virtual ~Filter() = default;

  // The word used in `--filter`; lower case, never changes once released.
  virtual std::string_view name() const = 0;

  // InvalidArgument if the spec holds an expression that this filter cannot read.
  virtual absl::StatusOr<std::vector<Rule>> RulesFor(const ContainerSpec& spec) const = 0;
};

using FilterMaker = std::function<std::unique_ptr<Filter>()>;
using FilterRegistry = Registry<FilterMaker>;

// health, port, containerslots, dependency, affinity, constraint, whitelist, platform.
FilterRegistry BuiltinFilters();

}  // namespace swarm
