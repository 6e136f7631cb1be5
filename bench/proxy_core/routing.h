#pragma once

// The routing work that every proxy of this experiment does for a request, so that their costs can
// be compared: find a 64-digit container id among 10,000, rewrite version and path.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"

namespace proxy_core {

inline constexpr int kContainers = 10'000;
inline constexpr std::size_t kIdDigits = 64;
inline constexpr std::string_view kEngineVersion = "/v1.40";

// The id of container `index`; run.py computes the same.
inline std::string ContainerId(std::uint64_t index) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (std::uint64_t word = index * 4; word < index * 4 + 4; ++word) {
    std::uint64_t mixed = (word + 1) * 0x9E3779B97F4A7C15ull;  // splitmix64
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ull;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBull;
    mixed ^= mixed >> 31;
    for (int shift = 60; shift >= 0; shift -= 4) id += kDigits[(mixed >> shift) & 15];
  }
  return id;
}

class Routes {
 public:
  Routes() {
    for (int i = 0; i < kContainers; ++i) {
      node_of_[ContainerId(static_cast<std::uint64_t>(i))] = i % 1000;
    }
  }

  // Appends the target for the engine to `out`, built from the known id; false for an unknown one.
  bool Rewrite(std::string_view target, std::string* out) const {
    constexpr std::string_view kNoun = "/containers/";
    if (target.size() > 2 && target[1] == 'v') {
      const std::size_t slash = target.find('/', 1);
      if (slash == std::string_view::npos) return false;
      target.remove_prefix(slash);
    }
    if (target.substr(0, kNoun.size()) != kNoun) return false;
    target.remove_prefix(kNoun.size());
    const std::string_view id = target.substr(0, target.find('/'));
    const auto found = node_of_.find(absl::string_view(id.data(), id.size()));
    if (found == node_of_.end()) return false;
    out->append(kEngineVersion).append(kNoun).append(found->first);
    out->append(target.substr(id.size()));
    return true;
  }

 private:
  absl::flat_hash_map<std::string, int> node_of_;
};

// The arguments of every program here: [upstream port]. Prints "port N" once it listens.
inline std::uint16_t UpstreamPort(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s UPSTREAM_PORT\n", argv[0]);
    std::exit(2);
  }
  return static_cast<std::uint16_t>(std::atoi(argv[1]));
}

inline void AnnouncePort(std::uint16_t port) {
  std::printf("port %d\n", port);
  std::fflush(stdout);
}

}  // namespace proxy_core
