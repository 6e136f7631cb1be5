// An orchestrator of somebody else's: machines that run workloads, known to no Docker engine.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fleet {

struct Workload {
  std::string id;            // 64 hexadecimal digits
  std::string name;          // unique on its machine
  std::string spec;          // a JSON object, as the owner gave it
  std::int64_t created = 0;  // seconds since 1970
  bool running = false;
};

struct Machine {
  std::string name;
  std::map<std::string, std::string> labels;
  std::vector<Workload> workloads;
};

// Thread-safe. Watchers are called with no lock held, by the thread that made the change.
class Fleet {
 public:
  using AddressesWatcher = std::function<void(std::vector<std::string>)>;
  using EventsWatcher = std::function<void(const std::string& machine, std::string_view action,
                                           const Workload& workload)>;

  void AddMachine(std::string name, std::map<std::string, std::string> labels);
  // The machines' names, sorted; each works as the address of one.
  std::vector<std::string> Names() const;
  // A copy; empty name = there is none.
  Machine Find(std::string_view name) const;

  // False when the machine has a workload of that name, or is not there.
  bool Add(std::string_view machine, Workload workload);
  bool Start(std::string_view machine, std::string_view id);
  bool Remove(std::string_view machine, std::string_view id);

  // Until the returned function is called, and perhaps once more by a thread that was about to.
  // `changed` is called with the set of now, too.
  std::function<void()> WatchAddresses(AddressesWatcher changed);
  std::function<void()> WatchEvents(EventsWatcher told);

 private:
  Machine* FindLocked(std::string_view name);
  void Tell(std::string_view machine, std::string_view action, const Workload& workload);

  mutable std::mutex mutex_;
  std::map<std::string, Machine, std::less<>> machines_;
  std::list<AddressesWatcher> address_watchers_;
  std::list<EventsWatcher> event_watchers_;
};

}  // namespace fleet
