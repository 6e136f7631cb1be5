#include "core/described.h"

#include "sched/ports.h"

namespace swarm {

Container DescribedContainer(const ContainerSpec& spec, std::string_view address,
                             std::string_view name, std::string_view swarm_id) {
  Container container;
  container.node = std::string(address);
  container.names.emplace_back(name);
  container.swarm_id = std::string(swarm_id);
  container.image = spec.image;
  container.labels = spec.labels;
  container.request = spec.request;
  container.wanted_ports = spec.ports;
  if (spec.host_network) {
    container.network_mode = "host";
    container.exposed_ports = spec.exposed;
  }
  return container;
}

void MarkStarted(Container& container, WallTime now) {
  container.state = ContainerState::kRunning;
  container.started_at = now;
  container.exit_code = 0;
  container.error.clear();
  if (container.has_health) container.health = "starting";
  if (container.network_mode != "host") container.bound_ports = PortsWantedBy(container);
}

void KeepUnlisted(const Container& before, Container& now) {
  now.request = before.request;
  now.wanted_ports = before.wanted_ports;
  if (now.exposed_ports.empty()) now.exposed_ports = before.exposed_ports;
  if (now.swarm_id.empty()) now.swarm_id = before.swarm_id;
  if (now.state != before.state) return;
  now.started_at = before.started_at;
  now.finished_at = before.finished_at;
  now.error = before.error;
}

}  // namespace swarm
