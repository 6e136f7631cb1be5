// Lists of engine addresses as people write them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace swarm {

// Addresses that one discovery may give at most, ranges spread out.
inline constexpr std::size_t kMostAddresses = 100'000;

// Appends the addresses of one item, "host:port" with at most one range: "10.0.0.[0:50]:2375" is 51
// of them, "node[1:3].x:2375" three, a range that runs backwards none. InvalidArgument when an
// address is not host:port; ResourceExhausted when `addresses` would hold more than kMostAddresses.
// On an error `addresses` is unchanged.
absl::Status AppendAddresses(std::string_view item, std::vector<std::string>& addresses);

// Sorted, no doubles.
void SortAddresses(std::vector<std::string>& addresses);

// `text` in quotes for a message: at most 80 bytes, anything unprintable as "?".
std::string Quoted(std::string_view text);

}  // namespace swarm
