#include "manager/host_facts.h"

#include <sys/utsname.h>

#include <fstream>
#include <functional>

#include "swarmlib/random.h"

namespace swarm {
namespace {

std::string GoArchitecture(const std::string& machine) {
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine == "i686" || machine == "i386") return "386";
  return machine;
}

// Groups of four as an engine's ID has them; made from the machine's id, which itself is not shown.
std::string IdOf(const std::string& seed) {
  std::string id;
  Random random(std::hash<std::string>{}(seed));
  for (int group = 0; group < 12; ++group) {
    if (group > 0) id.push_back(':');
    for (int letter = 0; letter < 4; ++letter) {
      id.push_back("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[random.Below(32)]);
    }
  }
  return id;
}

}  // namespace

HostFacts ReadHostFacts() {
  HostFacts facts;
  utsname names{};
  if (uname(&names) == 0) {
    facts.host_name = names.nodename;
    facts.kernel_version = names.release;
    facts.architecture = GoArchitecture(names.machine);
  }
  std::string machine;
  std::ifstream("/etc/machine-id") >> machine;
  facts.id = IdOf("swarm manager of " + machine + facts.host_name);
  return facts;
}

}  // namespace swarm
