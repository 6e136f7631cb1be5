// What one node holds, made ready for many terms.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "swarmlib/filter.h"

namespace swarm {

// The texts that an image answers to: id, short id, tags, digests, and repositories without tag.
std::vector<std::string> ImageTexts(const Image& image);

// The value of a container for the key of an affinity: empty when it lacks the label.
std::string_view LabelOf(const Container& container, std::string_view key);

// Each part is made when a term first needs it, so that many terms cost the node's contents once.
// Of one state of the node; the view outlives it.
class NodeFacts {
 public:
  explicit NodeFacts(const NodeView& view) : view_(view) {}

  const NodeView& view() const { return view_; }
  const std::vector<const Container*>& containers();
  // The texts that its images answer to, sorted, each once.
  const std::vector<std::string>& image_texts();
  // True when a container has exactly that value for the key of an affinity. Not for empty values.
  bool HoldsExactly(std::string_view key, std::string_view value);

 private:
  using Pair = std::pair<std::string_view, std::string_view>;
  struct PairHash {
    std::size_t operator()(const Pair& pair) const;
  };

  void ReadValues();

  const NodeView& view_;
  bool has_containers_ = false;
  bool has_images_ = false;
  std::size_t asked_ = 0;  // for exact values
  std::vector<const Container*> containers_;
  std::vector<std::string> image_texts_;
  // Key and value: of labels, and for the key "container" ids, short ids and names.
  std::unordered_set<Pair, PairHash> values_;
};

}  // namespace swarm
