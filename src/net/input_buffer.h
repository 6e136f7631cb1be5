// Bytes that a connection has received and not yet used.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "net/bounds.h"
#include "swarmlib/wiped.h"

namespace swarm::net {

// Grows by doubling while it is filled to the brim. Views into it die with the next Room().
class InputBuffer {
 public:
  // What becomes of bytes that were consumed: left where they are, or overwritten, for input that
  // may hold credentials.
  enum class Consumed { kLeft, kWiped };

  explicit InputBuffer(Consumed consumed = Consumed::kLeft)
      : wipes_(consumed == Consumed::kWiped) {}
  ~InputBuffer() { Resize(0); }
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;

  std::string_view bytes() const { return {storage_.data() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  // Moves nothing: a read into the last Room() may be under way.
  void Consume(std::size_t count) {
    if (wipes_) Wipe(storage_.data() + begin_, count);
    begin_ += count;
  }

  // Space to receive into, so that no more than `most` bytes are held; empty when they are.
  std::span<char> Room(std::size_t most);

  // `count` bytes of the last Room() were filled.
  void Filled(std::size_t count) {
    end_ += count;
    brimful_ = end_ == storage_.size();
  }

  // Gives large memory back while nothing is held. No read may be under way.
  void Shrink() {
    if (!empty() || storage_.size() <= kKeptBuffer) return;
    Resize(0);
    begin_ = end_ = 0;
    brimful_ = false;
  }

 private:
  // To `size` bytes; 0 frees the memory.
  void Resize(std::size_t size);

  const bool wipes_;
  std::vector<char> storage_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool brimful_ = false;
};

}  // namespace swarm::net
