#include "wire/conflicts.h"

#include <string>

#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::string_view kErrorField = "X-Swarmd-Error";
constexpr int kLastCode = 16;

}  // namespace

bool SaysNameIsTaken(std::string_view message) {
  const std::string lower = ToLower(message);
  return lower.find("container name") != std::string::npos &&
         lower.find("already in use") != std::string::npos;
}

void MarkCode(Reply& reply, absl::StatusCode code) {
  if (HttpError(reply.status, "").code() == code) return;
  SetHeader(reply.headers, kErrorField, absl::StatusCodeToString(code));
}

std::optional<absl::StatusCode> MarkedCode(const Headers& headers) {
  const std::string* const told = FindHeader(headers, kErrorField);
  if (told == nullptr) return std::nullopt;
  for (int number = 1; number <= kLastCode; ++number) {
    const auto code = static_cast<absl::StatusCode>(number);
    if (absl::StatusCodeToString(code) == *told) return code;
  }
  return std::nullopt;
}

}  // namespace swarm
