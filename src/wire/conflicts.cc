#include "wire/conflicts.h"

#include <string>

#include "base/text.h"

namespace swarm {
namespace {

constexpr std::string_view kErrorField = "X-Swarmd-Error";
constexpr std::string_view kAlreadyExistsCode = "ALREADY_EXISTS";

}  // namespace

bool SaysNameIsTaken(std::string_view message) {
  const std::string lower = ToLower(message);
  return lower.find("container name") != std::string::npos &&
         lower.find("already in use") != std::string::npos;
}

void MarkAlreadyExists(Reply& reply) { SetHeader(reply.headers, kErrorField, kAlreadyExistsCode); }

bool IsMarkedAlreadyExists(const Headers& headers) {
  const std::string* const code = FindHeader(headers, kErrorField);
  return code != nullptr && *code == kAlreadyExistsCode;
}

}  // namespace swarm
