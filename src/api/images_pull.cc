#include <memory>
#include <utility>

#include "api/handlers.h"
#include "api/node_progress.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "model/platform.h"
#include "swarmlib/status.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

std::string ReferenceOf(const Query& query) {
  const std::string* image = FindQuery(query, "fromImage");
  const std::string* tag = FindQuery(query, "tag");
  if (image == nullptr) return "";
  if (tag == nullptr || tag->empty()) return *image;
  const bool digest = tag->find(':') != std::string::npos;
  return *image + (digest ? "@" : ":") + *tag;
}

// Engines have no status of its own for it, only these words.
bool HasNoneForThePlatform(const absl::Status& status) {
  const std::string_view text = MessageOf(status);
  return text.find("no matching manifest") != std::string_view::npos ||
         text.find("no match for platform in manifest") != std::string_view::npos;
}

// The nodes that a platform means. A platform that no node has is pulled by all, as one engine
// would.
std::vector<NodePointer> Eligible(std::vector<NodePointer> nodes, const std::string* platform,
                                  std::vector<std::string>& others) {
  if (platform == nullptr || platform->empty()) return nodes;
  std::vector<NodePointer> eligible;
  for (const NodePointer& node : nodes) {
    if (PlatformMatches(*platform, *node)) {
      eligible.push_back(node);
    } else {
      others.push_back(NameOf(*node) + ": its platform is " + node->os + "/" + node->architecture);
    }
  }
  if (!eligible.empty()) return eligible;
  others.clear();
  return nodes;
}

// On how many of the nodes concerned a pull has to succeed.
using PullPolicy = std::size_t (*)(std::size_t concerned);

std::size_t All(std::size_t concerned) { return concerned; }
std::size_t Quorum(std::size_t concerned) { return concerned / 2 + 1; }
std::size_t Any(std::size_t) { return 1; }

absl::StatusOr<PullPolicy> PolicyOf(const Headers& headers) {
  const std::string* policy = FindHeader(headers, "X-Swarmd-Pull-Policy");
  if (policy == nullptr || *policy == "all") return All;
  if (*policy == "quorum") return Quorum;
  if (*policy == "any") return Any;
  return InvalidArgument("X-Swarmd-Pull-Policy is all, quorum or any, not " + ShortQuoted(*policy));
}

// The healthy nodes, or the one that the client chose.
absl::StatusOr<std::vector<NodePointer>> NodesFor(const Context& context, const Headers& headers,
                                                  const std::string& reference) {
  std::vector<NodePointer> nodes = HealthyNodes(context);
  if (const std::string* chosen = FindHeader(headers, "X-Swarmd-Pull-Node")) {
    const NodePointer node = context.cluster().FindNode(*chosen);
    if (!node) {
      return InvalidArgument("X-Swarmd-Pull-Node: no node is called " + ShortQuoted(*chosen) +
                             ": \"docker info\" lists them");
    }
    std::erase_if(nodes, [&node](const NodePointer& one) { return one->address != node->address; });
    if (nodes.empty())
      return Unavailable("node " + node->name + " is not healthy and cannot pull " + reference);
  }
  if (nodes.empty()) {
    return Unavailable("no healthy node can pull " + reference +
                       ": \"docker info\" shows the state of each");
  }
  return nodes;
}

void Conclude(NodeWork& work, const std::string& reference, PullPolicy policy) {
  Output& output = *work.output;
  const std::size_t concerned = work.succeeded.size() + work.failed.size();
  const std::string skipped = work.skipped.empty() ? "" : "; skipped: " + Join(work.skipped, "; ");
  if (concerned == 0) {
    output.Write(ErrorLine(reference + " was pulled on no node: " + Join(work.skipped, "; ")));
  } else if (work.succeeded.size() >= policy(concerned)) {
    const std::string failed = work.failed.empty() ? "" : "; not on " + Join(work.failed, "; ");
    output.Write(ProgressLine("", "Pulled on " + std::to_string(work.succeeded.size()) + "/" +
                                      std::to_string(concerned) +
                                      " nodes: " + Join(work.succeeded, ", ") + failed + skipped));
  } else {
    output.Write(ErrorLine(reference + " was pulled on " + std::to_string(work.succeeded.size()) +
                           " of " + std::to_string(concerned) +
                           " nodes: " + Join(work.failed, "; ") + skipped));
  }
  output.End();
}

}  // namespace

// POST /images/create: a pull or an import.
Task<Result> CreateImage(ContextPointer context, ApiExchange exchange) {
  if (!ReferenceOf(exchange.query).empty())
    return PullImage(std::move(context), std::move(exchange));
  return ImportImage(std::move(context), std::move(exchange));
}

Task<Result> PullImage(ContextPointer context, ApiExchange exchange) {
  const std::string reference = ReferenceOf(exchange.query);
  const Headers& asked = exchange.request.headers;
  const absl::StatusOr<PullPolicy> policy = PolicyOf(asked);
  if (!policy.ok()) co_return policy.status();
  absl::StatusOr<std::vector<NodePointer>> nodes = NodesFor(*context, asked, reference);
  if (!nodes.ok()) co_return nodes.status();
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto work = std::make_shared<NodeWork>();
  work->context = std::move(context);
  work->output = std::make_shared<Output>(*loop, kMostProgress);
  work->nodes = Eligible(*std::move(nodes), FindQuery(exchange.query, "platform"), work->skipped);
  work->client = exchange.version;
  work->doing = "Pulling " + reference + "...";
  work->done = "downloaded";
  Headers headers = EngineHeaders(exchange.request.headers, true);
  RemoveHeader(headers, "Content-Type");
  work->request = [headers = std::move(headers), query = std::move(exchange.query),
                   client = exchange.version](const std::shared_ptr<NodeRun>& run) {
    Request request;
    request.method = "POST";
    request.target = EngineTarget(SpokenTo(*run->node, client), "/images/create", query);
    request.headers = headers;
    return request;
  };
  work->tell = TellLayer;
  work->is_no_concern = HasNoneForThePlatform;
  work->conclude = [reference, policy = *policy](NodeWork& done) {
    Conclude(done, reference, policy);
  };
  Reply reply = JsonReply(200, "");
  reply.body_stream = work->output->Reader();
  BeginWork(*loop, work);
  co_return reply;
}

}  // namespace swarm
