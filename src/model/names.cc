#include "model/names.h"

#include <string>

#include "model/name_words.h"

namespace swarm {

bool IsContainerName(std::string_view name) {
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.size() < 2 || !is_alphanumeric(name.front())) return false;
  for (const char c : name) {
    if (!is_alphanumeric(c) && c != '_' && c != '.' && c != '-') return false;
  }
  return true;
}

bool IsFullId(std::string_view text) {
  constexpr std::size_t kIdDigits = 64;
  return text.size() == kIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string InventName(Random& random, int attempt) {
  std::string name(kManners[random.Below(kManners.size())]);
  name += '_';
  name += kPeople[random.Below(kPeople.size())];
  if (attempt > 0) name += static_cast<char>('0' + random.Below(10));
  return name;
}

}  // namespace swarm
