#include "net/input_buffer.h"

#include <algorithm>
#include <cstring>

namespace swarm::net {

std::span<char> InputBuffer::Room(std::size_t most) {
  if (size() >= most) return {};
  if (begin_ > 0) {
    const std::size_t moved = begin_;
    std::memmove(storage_.data(), storage_.data() + moved, size());
    end_ -= moved;
    begin_ = 0;
    if (wipes_) Wipe(storage_.data() + end_, moved);
  }
  if (storage_.empty()) {
    Resize(std::min(kFirstBuffer, most));
  } else if (end_ == storage_.size() || (brimful_ && storage_.size() < most)) {
    Resize(std::min(storage_.size() * 2, std::max(most, storage_.size())));
  }
  brimful_ = false;
  const std::size_t limit = std::min(storage_.size(), most);
  return limit > end_ ? std::span<char>(storage_.data() + end_, limit - end_) : std::span<char>();
}

void InputBuffer::Resize(std::size_t size) {
  if (!wipes_ && size > 0) return storage_.resize(size);
  std::vector<char> resized(size);
  std::copy_n(storage_.begin(), std::min(size, storage_.size()), resized.begin());
  if (wipes_) Wipe(storage_.data(), storage_.size());
  storage_.swap(resized);
}

}  // namespace swarm::net
