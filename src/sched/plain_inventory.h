// An inventory without any index or sum: what the oracle looks at in tests and benchmarks.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "sched/inventory.h"

namespace swarm {

// A start or an update under way.
struct PlainHold {
  std::string holder;
  Resources resources;
  std::vector<PortBinding> ports;
};

class PlainNode final : public NodeView {
 public:
  Node description;
  std::vector<Container> held;  // pending creates have no id
  std::vector<Image> image_list;
  std::map<std::uint64_t, PlainHold> holds;

  const Node& node() const override { return description; }
  std::vector<const Container*> containers() const override;
  std::vector<const Image*> images() const override;
  Resources reserved() const override;
  std::vector<PortHold> held_ports() const override;
};

// Every answer but who has an address is found by looking at everything.
class PlainInventory final : public Inventory {
 public:
  // Adds the node, or changes its description.
  PlainNode& SetNode(const Node& node);
  void DropNode(std::string_view address);
  // Null when unknown.
  PlainNode* Find(std::string_view address) const;

  std::vector<const NodeView*> Views() const override;
  const NodeView* ViewOf(std::string_view address) const override { return Find(address); }
  void HoldersOf(std::string_view reference,
                 std::vector<std::string_view>& addresses) const override;
  void HoldersNamed(std::string_view text, std::vector<std::string_view>& addresses) const override;
  // Nothing is asked of it while it changes.
  std::uint64_t RevisionOf(const NodeView&) const override { return 0; }
  std::shared_ptr<const NodeView> Keep(const NodeView& view) const override {
    return std::make_shared<PlainNode>(static_cast<const PlainNode&>(view));
  }

 private:
  std::map<std::pair<std::string, std::string>, std::unique_ptr<PlainNode>>
      nodes_;  // (name, address)
  StringMap<PlainNode*> by_address_;
};

}  // namespace swarm
