// file://: a list in a file, watched.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "swarmlib/discovery.h"

namespace swarm {

// The largest list that is read.
inline constexpr std::size_t kMostFileBytes = 4U << 20U;

// One address (or range) a line; "#" starts a comment. Errors name `path`, the line's number and
// its text. A list without any address is an InvalidArgument too: a file that is being written
// looks like that.
absl::StatusOr<std::vector<std::string>> ParseAddressFile(std::string_view text,
                                                          std::string_view path);

// `rest` is the path, relative or absolute. The file need not exist yet. Changes are seen at once
// through the context's watch_descriptor, a rename over the file included, and at each heartbeat
// besides.
absl::StatusOr<std::unique_ptr<Discovery>> MakeFileDiscovery(std::string_view rest,
                                                             const DiscoveryContext& context);

}  // namespace swarm
