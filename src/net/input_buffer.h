// Bytes that a connection has received and not yet used.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "net/bounds.h"

namespace swarm::net {

// Grows by doubling while it is filled to the brim. Views into it die with the next Room().
class InputBuffer {
 public:
  std::string_view bytes() const { return {storage_.data() + begin_, end_ - begin_}; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }

  // Moves nothing: a read into the last Room() may be under way.
  void Consume(std::size_t count) { begin_ += count; }

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
    storage_ = {};
    begin_ = end_ = 0;
    brimful_ = false;
  }

 private:
  std::vector<char> storage_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool brimful_ = false;
};

}  // namespace swarm::net
