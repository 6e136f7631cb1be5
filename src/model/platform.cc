#include "model/platform.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"

namespace swarm {
namespace {

// Docker's word for an architecture, from the kernel's.
std::string_view Architecture(std::string_view machine) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kWords = {{
      {"x86_64", "amd64"},
      {"x86-64", "amd64"},
      {"aarch64", "arm64"},
      {"i386", "386"},
      {"i686", "386"},
      {"armv6l", "arm"},
      {"armv7l", "arm"},
      {"armhf", "arm"},
  }};
  for (const auto& [kernel, docker] : kWords) {
    if (machine == kernel) return docker;
  }
  return machine;
}

bool IsOperatingSystem(std::string_view word) {
  return word == "linux" || word == "windows" || word == "darwin" || word == "freebsd";
}

}  // namespace

bool PlatformMatches(std::string_view platform, const Node& node) {
  // "os", "architecture", "os/architecture" or "os/architecture/variant"; the engine checks the
  // variant.
  const std::string wanted = ToLower(platform);
  const std::vector<std::string_view> parts = Split(wanted, '/');
  std::string_view os = parts[0];
  std::string_view architecture = parts.size() > 1 ? parts[1] : "";
  if (parts.size() == 1 && !IsOperatingSystem(os)) std::swap(os, architecture);
  if (!os.empty() && os != ToLower(node.os)) return false;
  return architecture.empty() ||
         Architecture(architecture) == Architecture(ToLower(node.architecture));
}

}  // namespace swarm
