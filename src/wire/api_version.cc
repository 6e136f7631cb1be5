#include "wire/api_version.h"

#include "base/text.h"

namespace swarm {

std::optional<ApiVersion> ParseApiVersion(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto major = ParseUnsigned(text.substr(0, dot));
  const auto minor = ParseUnsigned(text.substr(dot + 1));
  constexpr std::uint64_t kMost = 9999;
  if (!major || !minor || *major > kMost || *minor > kMost) return std::nullopt;
  return ApiVersion{static_cast<int>(*major), static_cast<int>(*minor)};
}

std::string ApiVersionText(ApiVersion version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

ApiVersion ClampApiVersion(ApiVersion wanted, ApiVersion least, ApiVersion most) {
  if (wanted > most) return most;
  if (wanted < least) return least;
  return wanted;
}

}  // namespace swarm
