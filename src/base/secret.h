// Text that must never be shown: registry credentials, keys, passwords.
#pragma once

#include <ostream>
#include <string>
#include <utility>

#include "swarmlib/wiped.h"

namespace swarm {

// Prints as "<redacted>" everywhere; Reveal() is the only way to the text, and easy to search for.
// The memory is overwritten when the value goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.Wipe(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      Wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe();
      text_ = std::move(other.text_);
      other.Wipe();
    }
    return *this;
  }
  ~Secret() { Wipe(); }

  const std::string& Reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << "<redacted>"; }

 private:
  void Wipe() { swarm::Wipe(text_); }

  std::string text_;
};

}  // namespace swarm
