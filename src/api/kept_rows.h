// The texts of container groups, kept from one list to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/memory_budget.h"
#include "swarmlib/clock.h"
#include "swarmlib/cluster.h"

namespace swarm {

using Piece = std::shared_ptr<const std::string>;

// A list of all containers, or of the running ones, is made of the texts of its groups. After a
// change only those are made anew whose group has changed, or in whose rows time has changed a
// word. Thread-safe.
class KeptRows {
 public:
  static constexpr std::size_t kMostBytes = 64U << 20U;  // what is beyond is made for each list

  // What a text shows. A list's first text begins with a bracket, the others with a comma.
  struct Form {
    bool all;
    bool is_first;
    friend bool operator==(const Form&, const Form&) = default;
  };

  // A text that has left this object, or never came in, is counted there as long as a reply holds
  // it; null = not at all.
  explicit KeptRows(std::shared_ptr<MemoryBudget> budget = nullptr) : budget_(std::move(budget)) {}

  // The number of a list that begins.
  std::uint64_t Begin();
  // The text if it is kept and still right, else null.
  Piece Find(std::uint64_t list, const ContainerGroup& group, Form form, WallTime now);
  // Right until then. Gives the text as a reply shall hold it.
  Piece Keep(std::uint64_t list, std::shared_ptr<const ContainerGroup> group, Form form, Piece text,
             WallTime until);
  // The list is whole: texts that no list of the same kind has used since it began are dropped.
  void End(std::uint64_t list, bool all);

 private:
  struct Text {
    Piece text;
    MemoryShare memory;
  };
  struct Kept {
    std::shared_ptr<const ContainerGroup> group;  // so that no other gets its address
    std::shared_ptr<Text> text;
    WallTime until;
    std::uint64_t used;  // by this list
  };
  struct Key {
    const ContainerGroup* group;
    Form form;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct HashOfKey {
    std::size_t operator()(const Key& key) const;
  };

  using Texts = std::unordered_map<Key, Kept, HashOfKey>;
  static Piece PieceOf(const std::shared_ptr<Text>& text);
  void Drop(Texts::iterator at);

  const std::shared_ptr<MemoryBudget> budget_;
  std::mutex mutex_;
  Texts kept_;
  std::size_t bytes_ = 0;
  std::uint64_t lists_ = 0;
};

}  // namespace swarm
