// What the beginning of a build context tells of the images that the build is made from.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarm {

// Looked at of a build context before a node is chosen, in bytes. Clients send the Dockerfile among
// the first files; where they do not, or compress, the build does without this preference.
inline constexpr std::size_t kMostPeeked = 1U << 20U;
inline constexpr std::size_t kMostBaseImages = 64;  // of one Dockerfile

// What is known of a file of an archive whose beginning was read.
struct PeekedFile {
  enum class State { kFound, kNeedMore, kNever };
  State state = State::kNeedMore;
  std::string_view content;  // kFound
};

// Looks for the file in the beginning of a tar archive. kNever: it is no plain tar, the archive
// ends, or the file does not fit in kMostPeeked.
PeekedFile PeekFile(std::string_view archive, std::string_view name);

// The images named by FROM lines, each once and in order, without stages of the same file,
// "scratch" and names that hold variables nobody has set. `arguments` come before the defaults of
// ARG lines.
std::vector<std::string> BaseImages(
    std::string_view dockerfile, const std::vector<std::pair<std::string, std::string>>& arguments);

}  // namespace swarm
