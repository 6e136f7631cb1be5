#include <utility>

#include "api/each_node.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "swarmlib/status.h"
#include "wire/disk_usage.h"
#include "wire/errors.h"

namespace swarm {
namespace {

// Engines walk over their disks to answer. One that stops being healthy meanwhile is not waited
// for.
constexpr Duration kLongestCount = std::chrono::minutes(10);
constexpr std::size_t kMostUsageBytes = 64U << 20U;  // of one engine's answer

absl::Status AddAnswer(const NodeAnswer& said, DiskUsage& usage) {
  if (!said.answer.ok()) return said.answer.status();
  if (said.answer->status != 200) {
    return HttpError(said.answer->status < 400 ? 502 : said.answer->status,
                     "node " + said.node->name + ": " + EngineMessage(said.answer->body));
  }
  return usage.Add(said.answer->body, *said.node);
}

}  // namespace

Task<Result> GetDiskUsage(ContextPointer context, ApiExchange exchange) {
  const absl::StatusOr<DiskUsageKinds> kinds = ReadDiskUsageKinds(exchange.query, exchange.version);
  if (!kinds.ok()) co_return kinds.status();
  const std::string* verbose = FindQuery(exchange.query, "verbose");
  const bool items = verbose != nullptr && ParseBoolean(*verbose);
  const std::vector<NodePointer> healthy = HealthyNodes(*context);
  std::vector<NodePointer> nodes = healthy;
  // One that hangs does not keep the others' numbers back.
  if (healthy.size() > 1) {
    std::vector<NodePointer> asked = healthy;
    nodes = co_await AnsweringNodes(context, std::move(asked), exchange.version);
  }

  Query query;
  for (const auto& parameter : exchange.query) {
    if (parameter.first == "type") query.push_back(parameter);
  }
  // Without the items copies of one image on two nodes could not be told.
  if (exchange.version >= kFirstWithUsage) query.emplace_back("verbose", "1");
  std::vector<NodeRequest> requests;
  for (NodePointer& node : nodes)
    requests.push_back({std::move(node), "GET", "/system/df", query, {}});
  EachOptions options;
  options.client = exchange.version;
  options.timeout = kLongestCount;
  options.max_body = kMostUsageBytes;
  options.stop = exchange.request.stop;
  const std::vector<NodeAnswer> answers =
      co_await AskEach(context, std::move(requests), std::move(options));

  DiskUsage usage(*kinds, context->options().names);
  std::vector<std::string> silent;
  absl::Status failure;
  std::size_t counted = 0;
  for (const NodePointer& node : healthy) {
    absl::Status added = DeadlineExceeded("node " + node->name + " did not answer a ping in time");
    for (const NodeAnswer& said : answers) {
      if (said.node->address == node->address) added = AddAnswer(said, usage);
    }
    if (added.ok()) {
      ++counted;
      continue;
    }
    silent.push_back(node->name);
    if (failure.ok()) failure = added;
  }
  if (counted == 0 && !failure.ok()) co_return failure;
  Reply reply = JsonReply(200, usage.Format(exchange.version, items));
  NoteUnreachable(*context, silent, reply);
  co_return reply;
}

}  // namespace swarm
