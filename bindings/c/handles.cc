#include "bindings/c/handles.h"

#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>

namespace swarm::c {
namespace {

// Of the freed ones as many are kept as a program's mistake is likely to be away.
constexpr std::size_t kMostFreed = 65'536;

struct List {
  std::mutex mutex;
  std::map<const void*, const char*> living;
  std::map<const void*, const char*> freed;
};

bool IsSame(const char* kind, const char* other) { return std::strcmp(kind, other) == 0; }

// Never destroyed: handles may be freed by destructors that run at the very end.
List& TheList() {
  static List* const list = new List;
  return *list;
}

}  // namespace

void Remember(const void* handle, const char* kind) {
  List& list = TheList();
  const std::lock_guard<std::mutex> lock(list.mutex);
  list.living[handle] = kind;
  list.freed.erase(handle);
}

bool Forget(const void* handle, const char* kind) {
  List& list = TheList();
  const std::lock_guard<std::mutex> lock(list.mutex);
  const auto found = list.living.find(handle);
  if (found == list.living.end() || !IsSame(found->second, kind)) return false;
  list.living.erase(found);
  if (list.freed.size() >= kMostFreed) list.freed.erase(list.freed.begin());
  list.freed[handle] = kind;
  return true;
}

std::string Complaint(const void* handle, const char* kind) {
  List& list = TheList();
  const std::lock_guard<std::mutex> lock(list.mutex);
  if (const auto found = list.living.find(handle); found != list.living.end()) {
    if (IsSame(found->second, kind)) return {};
    return std::string("is a ") + found->second;
  }
  if (const auto found = list.freed.find(handle); found != list.freed.end()) {
    if (IsSame(found->second, kind)) return "was freed already";
    return std::string("is a ") + found->second + " that was freed already";
  }
  return "is no handle of this library";
}

void Report(const char* call, const char* kind, const std::string& complaint) {
  std::fprintf(stderr, "libswarm: %s: the %s %s\n", call, kind, complaint.c_str());
}

}  // namespace swarm::c
