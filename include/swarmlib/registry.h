// An explicit list of named makers: filters, strategies, discovery schemes. Nothing registers
// itself.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "swarmlib/status.h"

namespace swarm {

// Maps a name to a maker of T. A value: copy it, add to it, give it to Manager::Open. Not
// thread-safe while being changed.
template <typename Maker>
class Registry {
 public:
  // AlreadyExists if the name is taken. `name` is lower case and never changes once released.
  absl::Status Add(std::string name, Maker maker) {
    const auto [where, fresh] = makers_.emplace(std::move(name), std::move(maker));
    if (!fresh) return AlreadyExists("\"" + where->first + "\" is registered already");
    return absl::OkStatus();
  }

  // Null when there is none. Valid until the registry changes.
  const Maker* Find(std::string_view name) const {
    const auto found = makers_.find(name);
    return found == makers_.end() ? nullptr : &found->second;
  }

  // In alphabetical order.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& [name, maker] : makers_) names.push_back(name);
    return names;
  }

 private:
  std::map<std::string, Maker, std::less<>> makers_;
};

}  // namespace swarm
