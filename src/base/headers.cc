#include <algorithm>

#include "base/text.h"
#include "swarmlib/backend.h"

namespace swarm {

const std::string* FindHeader(const Headers& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return &value;
  }
  return nullptr;
}

void SetHeader(Headers& headers, std::string_view name, std::string_view value) {
  RemoveHeader(headers, name);
  headers.emplace_back(name, value);
}

void RemoveHeader(Headers& headers, std::string_view name) {
  std::erase_if(headers, [name](const auto& field) { return EqualsIgnoreCase(field.first, name); });
}

}  // namespace swarm
