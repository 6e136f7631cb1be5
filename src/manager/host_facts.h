// What the manager tells of the machine it runs on.
#pragma once

#include <string>

namespace swarm {

struct HostFacts {
  std::string host_name;
  std::string kernel_version;
  std::string architecture;  // as Go names it: "amd64", "arm64"
  std::string id;            // stable over restarts on one machine
};

// From uname and the machine's id. Any thread.
HostFacts ReadHostFacts();

}  // namespace swarm
