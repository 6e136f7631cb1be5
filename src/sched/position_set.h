// Sets of nodes, by the nodes' positions in the order of names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace swarm {

// The place of a node in the order by name, then address. Sparse: not every number is in use.
using Position = std::uint32_t;
inline constexpr Position kNoPosition = UINT32_MAX;
// Of the words that sets of positions and of buckets are kept in.
inline constexpr Position kWordBits = 64;

// A small set is a sorted list, a large one a bitset, so that many small sets cost little and large
// ones meet word by word.
class PositionSet {
 public:
  void Insert(Position position);  // no-op when it is there
  void Erase(Position position);   // no-op when it is not
  bool Contains(Position position) const;
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The first one at or after `from`, or kNoPosition.
  Position NextFrom(Position from) const;

  // True when it is a bitset. Else list() holds it.
  bool dense() const { return dense_; }
  const std::vector<Position>& list() const { return list_; }
  // Bits in words of 64; nothing beyond the last word is in the set.
  const std::vector<std::uint64_t>& words() const { return words_; }

 private:
  // A list longer than this becomes a bitset; a bitset with fewer than a quarter of it becomes a
  // list.
  static constexpr std::size_t kMaxList = 256;

  void MakeDense();
  void MakeList();

  bool dense_ = false;
  std::size_t size_ = 0;
  std::vector<Position> list_;
  std::vector<std::uint64_t> words_;
};

}  // namespace swarm
