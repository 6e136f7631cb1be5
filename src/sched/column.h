// What nodes say under one key, the distinct values interned, with the nodes of each.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "sched/position_set.h"

namespace swarm {

// A set of nodes, or with `inverted` all other nodes. Null = the empty set.
struct NodeSelection {
  const PositionSet* nodes = nullptr;
  bool inverted = false;
};

// A node may have several values (images) or one (labels). Patterns are evaluated over the distinct
// values once and kept up to date by the changes of nodes; at most kMaxPatterns a column, the one
// unused longest goes first.
class Column {
 public:
  using Value = std::uint32_t;
  using Matcher = std::function<bool(std::string_view)>;
  static constexpr std::size_t kMaxPatterns = 32;

  // With `missing_is_empty` a node without a value counts as one with the value "". `revision`
  // grows when values or patterns come or go, so that selections must be asked for again; it
  // outlives this.
  Column(bool missing_is_empty, std::uint64_t& revision)
      : missing_is_empty_(missing_is_empty), revision_(revision) {}

  Value Intern(std::string_view text);

  // The node at `position` has exactly these values, of which at least one; it had none before.
  void Assign(Position position, const std::vector<Value>& values);
  // It has none any more. Values without nodes are forgotten.
  void Unassign(Position position, const std::vector<Value>& values);
  // The node, which has these values, goes to a position where no node is.
  void Move(Position from, Position to, const std::vector<Value>& values);

  // The nodes that have exactly this value. Valid until `revision` changes.
  NodeSelection Find(std::string_view text) const;
  // The nodes of which some value satisfies `matcher`; equal `name` = equal matcher. Valid as Find.
  NodeSelection Match(const std::string& name, const std::function<Matcher()>& make_matcher);

  std::size_t distinct() const { return ids_.size(); }

 private:
  struct Entry {
    std::string text;
    PositionSet nodes;
  };
  struct Pattern {
    std::string name;
    Matcher matcher;
    bool matches_missing = false;
    std::vector<char> matches;  // by value
    // The nodes with a value whose answer differs from that of a node without one.
    PositionSet differing;
    std::uint64_t used = 0;
  };

  bool Differs(const Pattern& pattern, const std::vector<Value>& values) const;

  const bool missing_is_empty_;
  std::uint64_t& revision_;
  StringMap<Value> ids_;
  std::vector<std::unique_ptr<Entry>> entries_;  // by value; null = free
  std::vector<Value> free_;
  std::vector<std::unique_ptr<Pattern>> patterns_;
  std::uint64_t clock_ = 0;
};

}  // namespace swarm
