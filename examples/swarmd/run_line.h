// A `docker run` line as the create request that the Docker CLI would send.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace swarmd {

struct RunLine {
  std::string body;  // JSON of POST /containers/create, as far as placement reads it
  std::string name;
  std::string platform;
};

// `words` with or without the leading "docker" "run"/"create". InvalidArgument names the word that
// cannot be read.
absl::StatusOr<RunLine> ParseRunLine(const std::vector<std::string>& words);

}  // namespace swarmd
