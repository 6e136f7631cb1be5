#include "wire/container_parts.h"

#include <string>
#include <utility>

namespace swarm {

void AddMounts(JsonValue mounts, Container& container) {
  mounts.ForEachElement([&container](JsonValue mount) {
    for (const char* key : {"Name", "Destination"}) {
      if (std::string text = mount.Find(key).text(); !text.empty())
        container.volumes.push_back(std::move(text));
    }
  });
}

void AddNetworks(JsonValue networks, Container& container) {
  networks.ForEachMember([&container](JsonValue name, JsonValue settings) {
    container.networks.push_back(name.text());
    if (std::string id = settings.Find("NetworkID").text(); !id.empty()) {
      container.network_ids.push_back(std::move(id));
    }
  });
}

}  // namespace swarm
