#include "fleet.h"

#include <algorithm>
#include <utility>

namespace fleet {

void Fleet::AddMachine(std::string name, std::map<std::string, std::string> labels) {
  std::list<AddressesWatcher> watchers;
  {
    const std::lock_guard lock(mutex_);
    machines_[name] = {name, std::move(labels), {}};
    watchers = address_watchers_;
  }
  for (const AddressesWatcher& watcher : watchers) watcher(Names());
}

std::vector<std::string> Fleet::Names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, machine] : machines_) names.push_back(name);
  return names;
}

Machine Fleet::Find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = machines_.find(name);
  return found == machines_.end() ? Machine{} : found->second;
}

Machine* Fleet::FindLocked(std::string_view name) {
  const auto found = machines_.find(name);
  return found == machines_.end() ? nullptr : &found->second;
}

bool Fleet::Add(std::string_view machine, Workload workload) {
  {
    const std::lock_guard lock(mutex_);
    Machine* const found = FindLocked(machine);
    if (found == nullptr) return false;
    for (const Workload& other : found->workloads) {
      if (other.name == workload.name) return false;
    }
    found->workloads.push_back(workload);
  }
  Tell(machine, "create", workload);
  return true;
}

bool Fleet::Start(std::string_view machine, std::string_view id) {
  Workload started;
  {
    const std::lock_guard lock(mutex_);
    Machine* const found = FindLocked(machine);
    if (found == nullptr) return false;
    for (Workload& workload : found->workloads) {
      if (workload.id != id) continue;
      workload.running = true;
      started = workload;
    }
  }
  if (started.id.empty()) return false;
  Tell(machine, "start", started);
  return true;
}

bool Fleet::Remove(std::string_view machine, std::string_view id) {
  Workload gone;
  {
    const std::lock_guard lock(mutex_);
    Machine* const found = FindLocked(machine);
    if (found == nullptr) return false;
    for (const Workload& workload : found->workloads) {
      if (workload.id == id) gone = workload;
    }
    std::erase_if(found->workloads, [id](const Workload& workload) { return workload.id == id; });
  }
  if (gone.id.empty()) return false;
  Tell(machine, "destroy", gone);
  return true;
}

std::function<void()> Fleet::WatchAddresses(AddressesWatcher changed) {
  std::unique_lock lock(mutex_);
  const auto place = address_watchers_.insert(address_watchers_.end(), changed);
  lock.unlock();
  changed(Names());
  return [this, place] {
    const std::lock_guard again(mutex_);
    address_watchers_.erase(place);
  };
}

std::function<void()> Fleet::WatchEvents(EventsWatcher told) {
  const std::lock_guard lock(mutex_);
  const auto place = event_watchers_.insert(event_watchers_.end(), std::move(told));
  return [this, place] {
    const std::lock_guard again(mutex_);
    event_watchers_.erase(place);
  };
}

void Fleet::Tell(std::string_view machine, std::string_view action, const Workload& workload) {
  std::list<EventsWatcher> watchers;
  {
    const std::lock_guard lock(mutex_);
    watchers = event_watchers_;
  }
  for (const EventsWatcher& watcher : watchers) watcher(std::string(machine), action, workload);
}

}  // namespace fleet
