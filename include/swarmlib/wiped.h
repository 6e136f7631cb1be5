// Memory that is overwritten before it is freed: for what may hold credentials.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace swarm {

// Overwrites `count` bytes with zeros; no compiler leaves that out. Any thread.
void Wipe(void* bytes, std::size_t count);

// The same of all that `text` holds room for; it is empty then.
void Wipe(std::string& text);

// For containers whose memory is overwritten whenever it is freed, also when they grow. Of pairs of
// strings (header fields) it overwrites the second ones, the values, too. Has no state.
template <typename T>
struct WipingAllocator {
  // The names and forms that the standard asks of an allocator.
  using value_type = T;
  WipingAllocator() = default;
  template <typename U>
  WipingAllocator(const WipingAllocator<U>&) {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* memory, std::size_t count) {
    Wipe(static_cast<void*>(memory), count * sizeof(T));
    std::allocator<T>().deallocate(memory, count);
  }
  template <typename U>
  void destroy(U* value) {
    if constexpr (std::is_same_v<U, std::pair<std::string, std::string>>) Wipe(value->second);
    std::destroy_at(value);
  }

  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

// A string that is overwritten when it goes or grows.
using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

// A std::string that is overwritten when it goes, and where it was moved from. One that grows may
// leave a copy behind: it is moved into, or given its capacity first.
class WipedText : public std::string {
 public:
  using std::string::string;
  WipedText() = default;
  WipedText(std::string text) : std::string(std::move(text)) {}  // NOLINT(google-explicit-*)
  WipedText(WipedText&& other) noexcept : std::string(std::move(other)) { Wipe(other); }
  WipedText& operator=(WipedText&& other) noexcept {
    if (this == &other) return *this;
    Wipe(*this);
    std::string::operator=(std::move(other));
    Wipe(other);
    return *this;
  }
  WipedText(const WipedText&) = default;
  WipedText& operator=(const WipedText&) = default;
  ~WipedText() { Wipe(*this); }
};

}  // namespace swarm
