// Docker Engine API versions, "1.41", compared as numbers.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace swarm {

struct ApiVersion {
  int major = 1;
  int minor = 0;

  friend auto operator<=>(const ApiVersion&, const ApiVersion&) = default;
};

// "1.41"; empty when it is not two numbers.
std::optional<ApiVersion> ParseApiVersion(std::string_view text);
std::string ApiVersionText(ApiVersion version);

// The version to speak to an engine for a client: `wanted` brought into [least, most].
ApiVersion ClampApiVersion(ApiVersion wanted, ApiVersion least, ApiVersion most);

}  // namespace swarm
