// What the scheduler may ask of the state that it decides over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "swarmlib/filter.h"

namespace swarm {

inline constexpr std::size_t kShortId = 12;  // digits of an id that stand for it

// Implemented by the cluster's state and, plainly, by tests. Pointers and views are valid until the
// state changes.
class Inventory {
 public:
  virtual ~Inventory() = default;

  // Every node, pending ones included, by name, then address.
  virtual std::vector<const NodeView*> Views() const = 0;

  // Null when unknown.
  virtual const NodeView* ViewOf(std::string_view address) const = 0;

  // Appends the address of each node that holds the container which `reference` names: full id, 12
  // digits, swarm id, name, node/name, or a prefix of one id only; the first of these that is known
  // decides.
  virtual void HoldersOf(std::string_view reference,
                         std::vector<std::string_view>& addresses) const = 0;

  // Appends the address of each node that holds a container whose id, first 12 digits of the id, or
  // first name is `text`. A node may come twice.
  virtual void HoldersNamed(std::string_view text,
                            std::vector<std::string_view>& addresses) const = 0;

  // Another number whenever a view of that address shows something else.
  virtual std::uint64_t RevisionOf(const NodeView& view) const = 0;
  // The node as it is now, for good. `view` is one of this inventory.
  virtual std::shared_ptr<const NodeView> Keep(const NodeView& view) const = 0;
};

}  // namespace swarm
