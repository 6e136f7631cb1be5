// Fuzzes create bodies: none may crash the reader, and what is sent on is JSON that says the same
// when it is read again.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "wire/create.h"
#include "wire/json.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const swarm::CreateRules rules{size % 2 == 0};
  const auto parsed = swarm::ParseCreate(body, "web", "", std::string(64, '1'), rules);
  swarm::JsonDocument document;
  const bool is_json = document.Parse(body).ok();
  if (!parsed.ok()) return 0;
  Require(is_json);
  Require(document.Parse(parsed->body).ok());
  const auto again = swarm::ParseCreate(parsed->body, "web", "", std::string(64, '2'), rules);
  Require(again.ok());
  Require(again->body == parsed->body);
  Require(again->spec.swarm_id == parsed->spec.swarm_id);
  Require(again->spec.constraints == parsed->spec.constraints);
  Require(again->spec.affinities == parsed->spec.affinities);
  Require(again->spec.ports == parsed->spec.ports);
  Require(again->spec.request == parsed->spec.request);
  swarm::Node node;
  node.total.nano_cpus = 3'000'000'000;
  Require(document.Parse(swarm::WithSwarmId(parsed->body, std::string(64, '3'))).ok());
  Require(document.Parse(swarm::WithSharesOfCores(parsed->body, node)).ok());
  return 0;
}
