#include "net/input_buffer.h"

#include <algorithm>
#include <cstring>

namespace swarm::net {

std::span<char> InputBuffer::Room(std::size_t most) {
  if (size() >= most) return {};
  if (begin_ > 0) {
    std::memmove(storage_.data(), storage_.data() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  if (storage_.empty()) {
    storage_.resize(std::min(kFirstBuffer, most));
  } else if (end_ == storage_.size() || (brimful_ && storage_.size() < most)) {
    storage_.resize(std::min(storage_.size() * 2, std::max(most, storage_.size())));
  }
  brimful_ = false;
  const std::size_t limit = std::min(storage_.size(), most);
  return limit > end_ ? std::span<char>(storage_.data() + end_, limit - end_) : std::span<char>();
}

}  // namespace swarm::net
