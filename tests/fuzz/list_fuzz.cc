// Fuzzes what engines answer: lists and descriptions of containers and images. Rows that are taken
// are JSON objects with a place for the status.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/containers.h"
#include "wire/engine.h"
#include "wire/images.h"
#include "wire/json.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  swarm::Node node;
  node.address = "10.0.0.1:2375";
  node.name = "n\"1";
  node.ip = "10.0.0.1";
  node.state = swarm::NodeState::kHealthy;
  swarm::JsonDocument document;
  const auto style = static_cast<swarm::NameStyle>(size % 3);
  const auto records = swarm::ParseContainerList(body, node, style);
  if (records.ok()) {
    for (const swarm::ContainerRecord& record : *records) {
      Require(!record.container.id.empty());
      const std::string row = record.row.head + "\"Up\"" + record.row.tail;
      Require(document.Parse(row).ok());
      Require(document.root().Find("Status").text() == "Up");
      Require(document.root().Find("Node").text() == node.name);
    }
  }
  swarm::ContainerRecord record;
  swarm::ApplyInspect(body, {}, node, record).IgnoreError();
  const auto inspect = swarm::InspectForClient(body, node);
  if (inspect.ok()) Require(document.Parse(*inspect).ok());
  const auto images = swarm::ParseImageList(body);
  if (images.ok()) Require(images->rows.size() == images->images.size());
  swarm::ApplyInfo(body, swarm::WallTime{}, node).IgnoreError();
  swarm::ApplyVersion(body, node).IgnoreError();
  return 0;
}
