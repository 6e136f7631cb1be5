// Every container of the cluster by age.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "swarmlib/cluster.h"

namespace swarm {

// Newest first; equal times by node name, then id. In groups, so that a change costs one group and
// a reader who comes again knows by identity what has not changed. Not thread-safe; what Groups()
// gave out may be read from any thread.
class AgeOrder {
 public:
  static constexpr std::size_t kMostInGroup = 64;

  // The entry's id is not there.
  void Put(ContainerPointer entry);
  // An entry that is there, the very object.
  void Erase(const ContainerEntry& entry);

  std::vector<ContainerPointer> All() const;
  // As Cluster::ContainersInGroups.
  ContainerGroups Groups() const;

 private:
  struct Group {
    std::shared_ptr<ContainerGroup> entries;  // never empty
    mutable bool is_shared = false;           // given out: a change makes a copy
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Place {
    std::size_t group;
    std::size_t index;
  };

  Place Find(const ContainerEntry& entry) const;
  ContainerGroup& Writable(std::size_t group);
  void Split(std::size_t group);

  std::vector<Group> groups_;
  std::size_t size_ = 0;
  std::size_t vacated_ = kNone;  // the group that the last call took an entry from
};

}  // namespace swarm
