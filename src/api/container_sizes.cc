#include "api/container_sizes.h"

#include <optional>
#include <utility>
#include <vector>

#include "api/upstream.h"
#include "wire/json.h"

namespace swarm {
namespace {

void ReadSizes(JsonValue list, SizeFields& sizes) {
  list.ForEachElement([&sizes](JsonValue row) {
    std::string fields;
    for (const char* key : {"SizeRw", "SizeRootFs"}) {
      const std::optional<std::int64_t> size = row.Find(key).integer();
      // Like engines, which leave out what is nothing.
      if (size.value_or(0) != 0)
        fields += "\"" + std::string(key) + "\":" + std::to_string(*size) + ",";
    }
    if (!fields.empty()) sizes.emplace(row.Find("Id").text(), std::move(fields));
  });
}

}  // namespace

Task<SizeFields> AskSizes(ContextPointer context, ApiVersion client) {
  Query query;
  query.emplace_back("all", "1");
  query.emplace_back("size", "1");
  std::vector<NodePointer> healthy = HealthyNodes(*context);
  // Engines may count for long: only those that hang are not waited for.
  std::vector<NodePointer> nodes = co_await AnsweringNodes(context, std::move(healthy), client);
  std::string path = "/containers/json";
  const std::vector<NodeAnswer> answers =
      co_await AskNodesUntil(std::move(context), std::move(nodes), std::move(path),
                             std::move(query), client, kShortCall, nullptr);
  SizeFields sizes;
  for (const NodeAnswer& said : answers) {
    JsonDocument document;
    if (!said.answer.ok() || said.answer->status != 200) continue;
    if (document.Parse(said.answer->body).ok()) ReadSizes(document.root(), sizes);
  }
  co_return sizes;
}

}  // namespace swarm
