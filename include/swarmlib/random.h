// Randomness as an argument, with an algorithm of our own so that a seed replays on every platform.
#pragma once

#include <cstdint>
#include <string>

namespace swarm {

// xoshiro256** seeded by splitmix64 (Blackman and Vigna, 2018). Not for secrets. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t Next();

  // Uniform in [0, bound). `bound` > 0.
  std::uint64_t Below(std::uint64_t bound);

  // `digits` lower-case hexadecimal digits.
  std::string Hex(int digits);

 private:
  std::uint64_t state_[4];
};

// A seed from the operating system.
std::uint64_t EntropySeed();

}  // namespace swarm
