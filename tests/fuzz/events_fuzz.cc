// Fuzzes event streams: where a stream is cut changes nothing, and what was read is written as one
// event that reads the same.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/events.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

constexpr std::size_t kMost = 4096;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = data[0] % (bytes.size() + 1);
  swarm::ObjectSplitter whole(kMost);
  swarm::ObjectSplitter pieces(kMost);
  std::vector<std::string> objects;
  std::vector<std::string> same;
  const bool good = whole.Feed(bytes, objects).ok();
  bool good_in_pieces = pieces.Feed(std::string(bytes.substr(0, cut)), same).ok();
  if (good_in_pieces) good_in_pieces = pieces.Feed(std::string(bytes.substr(cut)), same).ok();
  Require(good == good_in_pieces);
  if (good) Require(objects == same);

  swarm::Node node;
  node.address = "10.0.0.1:2375";
  node.name = "n1";
  for (const std::string& object : objects) {
    const auto event = swarm::ParseEvent(object, node);
    if (!event.ok()) continue;
    const auto again = swarm::ParseEvent(swarm::FormatEvent(*event, {1, 52}), node);
    Require(again.ok());
    Require(again->action == event->action && again->actor_id == event->actor_id);
    Require(again->attributes == event->attributes);
    swarm::EventMatches(*event, {{"container", {"a", "n1/b"}}, {"label", {"x=y"}}});
  }
  return 0;
}
