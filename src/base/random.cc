#include "swarmlib/random.h"

#include "base/check.h"

namespace swarm {
namespace {

constexpr std::uint64_t Rotate(std::uint64_t value, int by) {
  return (value << by) | (value >> (64 - by));
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    word = mixed ^ (mixed >> 31U);
  }
}

std::uint64_t Random::Next() {
  const std::uint64_t result = Rotate(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17U;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = Rotate(state_[3], 45);
  return result;
}

std::uint64_t Random::Below(std::uint64_t bound) {
  SWARM_CHECK(bound > 0, "a draw needs at least one outcome");
  const std::uint64_t unfair =
      (0 - bound) % bound;  // values below this would favour small outcomes
  std::uint64_t value = Next();
  while (value < unfair) value = Next();
  return value % bound;
}

std::string Random::Hex(int digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(static_cast<std::size_t>(digits), '0');
  for (char& digit : text) digit = kDigits[Next() >> 60U];
  return text;
}

}  // namespace swarm
