// What the engine of the benches says: JSON documents of the shape and size of a real engine's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// A container of an engine, `index` over all engines of the process.
struct Subject {
  std::uint64_t index = 0;
  std::string id;
  int engine = 0;
  bool is_healthy = true;
  // Of those that a client made. The others are there from the start, run, and publish a port.
  bool is_made = false;
  bool is_running = true;
  std::string name;
  std::string labels;  // the object of the create body, "{...}"
};

// An object of GET /containers/json, about 1,000 bytes.
std::string ListRow(const Subject& subject);

// GET /containers/ID/json, about 5,500 bytes.
std::string Inspect(const Subject& subject);

// GET /containers/ID/changes, of at least `least` bytes.
std::string Changes(std::size_t least);

// One message of GET /events about the container: "start", "destroy" ...
std::string Event(const Subject& subject, std::string_view action);
// The same when its health has changed.
std::string HealthEvent(const Subject& subject);

std::string Info(int engine, int containers);
std::string Version();
std::string Images();

}  // namespace bench
