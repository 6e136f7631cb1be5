// The plainest form of tar (POSIX ustar): regular files with short names.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace swarm {

// Path to content.
using TarFiles = std::map<std::string, std::string>;

std::string WriteTar(const TarFiles& files);
// Directories, links and extended headers are passed over. InvalidArgument when the archive is cut
// short or a header's sum is wrong.
absl::StatusOr<TarFiles> ReadTar(std::string_view archive);

}  // namespace swarm
