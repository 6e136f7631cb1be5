// What the engine of the benches says: JSON documents of the shape and size of a real engine's.
#pragma once

#include <cstdint>
#include <string>

namespace bench {

// A container of the engine, `index` over all engines of the process.
struct Subject {
  std::uint64_t index = 0;
  std::string id;
  bool is_healthy = true;
};

// An object of GET /containers/json, about 1,000 bytes.
std::string ListRow(const Subject& subject);

// GET /containers/ID/json, about 5,500 bytes.
std::string Inspect(const Subject& subject);

// GET /containers/ID/changes, of at least `least` bytes.
std::string Changes(std::size_t least);

// One message of GET /events: the container's health has changed.
std::string HealthEvent(const Subject& subject);

std::string Info(int engine, int containers);
std::string Version();
std::string Images();

}  // namespace bench
