#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "api/handlers.h"
#include "api/output.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/events.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

constexpr std::size_t kMostPullsAtOnce = 64;
constexpr std::size_t kMostNodesWithLayers = 4;   // with more nodes the layers would drown the list
constexpr std::size_t kMostProgress = 4U << 20U;  // bytes that a slow client may be behind
constexpr std::size_t kEnoughProgress =
    256U << 10U;  // beyond it bars are left out, lines that matter are not
constexpr std::size_t kMostProgressObject = 1U << 20U;
constexpr Duration kBarPause = std::chrono::milliseconds(200);  // between two bars of one layer
constexpr std::size_t kMostBars = 4'096;

// A pull over many nodes. On one loop; its coroutines share it.
struct Pull {
  ContextPointer context;
  std::shared_ptr<Output> output;
  std::string reference;
  Query query;
  Headers headers;
  ApiVersion client;
  std::vector<NodePointer> nodes;
  std::size_t next = 0;                    // the node that nobody pulls on yet
  std::size_t workers = 0;                 // under way
  std::vector<std::string> failed;         // "node: message"
  std::vector<std::string> pulled;         // names
  std::map<std::string, Stream*> streams;  // by node address: aborted when the client goes
  std::map<std::string, TimePoint, std::less<>> bars;  // by layer: when the last was shown
  std::stop_source stop;

  bool layers() const { return nodes.size() <= kMostNodesWithLayers; }
};

std::string NameOf(const Node& node) { return node.name.empty() ? node.address : node.name; }

// The bars of a download come many times a second; one in kBarPause is enough.
bool IsTooSoon(Pull& pull, const std::string& node, std::string_view object) {
  JsonDocument document;
  if (!document.Parse(object).ok() || document.root().Find("progress").absent()) return false;
  if (pull.output->held() > kEnoughProgress) return true;
  const std::string key = node + "/" + document.root().Find("id").text();
  const TimePoint now = pull.context->clock().Now();
  const auto found = pull.bars.find(key);
  if (found != pull.bars.end()) {
    if (now - found->second < kBarPause) return true;
    found->second = now;
  } else if (pull.bars.size() < kMostBars) {
    pull.bars.emplace(key, now);
  }
  return false;
}

// Gives on one node's progress until its end. The error that the stream told, or the one of the
// stream itself.
Task<absl::Status> RelayProgress(std::shared_ptr<Pull> pull, std::string name,
                                 std::unique_ptr<Stream> body) {
  ObjectSplitter splitter(kMostProgressObject);
  std::vector<char> buffer(16U << 10U);
  absl::Status told;
  for (;;) {
    const std::span<char> into(buffer);
    Stream& stream = *body;
    const absl::StatusOr<std::size_t> got = co_await Read(stream, into);
    if (!got.ok()) co_return got.status();
    if (*got == 0) co_return told;
    std::vector<std::string> objects;
    const absl::Status split = splitter.Feed(std::string_view(buffer.data(), *got), objects);
    if (!split.ok()) co_return split;
    for (const std::string& object : objects) {
      const std::string error = ProgressError(object);
      if (!error.empty()) {
        told = Internal(error);
      } else if (pull->layers() && !IsTooSoon(*pull, name, object)) {
        pull->output->Write(PrefixProgress(object, name) + "\r\n");
      }
    }
  }
}

Task<absl::Status> Reread(ContextPointer context, std::string address) {
  auto start = [context, address = std::move(address)](Callback<absl::Status> done) mutable {
    context->cluster().RefreshImages(std::move(address), std::move(done));
  };
  return AwaitCallback<absl::Status>(std::move(start));
}

Task<absl::Status> PullOn(std::shared_ptr<Pull> pull, NodePointer node) {
  Request request;
  request.method = "POST";
  request.target = EngineTarget(SpokenTo(*node, pull->client), "/images/create", pull->query);
  request.headers = pull->headers;
  CallOptions options;
  options.timeout = kLongCall;
  options.stop = pull->stop.get_token();
  Result answer = co_await SendToEngine(pull->context, node, std::move(request),
                                        EngineCall::Way::kStream, std::move(options));
  if (!answer.ok()) co_return answer.status();
  if (answer->status >= 400) {
    Reply reply = *std::move(answer);
    const Result settled = co_await SettleError(std::move(reply), pull->client, pull->client);
    if (!settled.ok()) co_return settled.status();
    co_return HttpError(std::min(settled->status, 599), EngineMessage(settled->body));
  }
  std::unique_ptr<Stream> body = std::move(answer->body_stream);
  if (!body) co_return Internal("the engine's answer has no body");
  if (pull->output->gone()) co_return Cancelled("the client went away");
  pull->streams[node->address] = body.get();
  absl::Status status = co_await RelayProgress(pull, NameOf(*node), std::move(body));
  pull->streams.erase(node->address);
  if (!status.ok()) co_return status;
  const absl::Status reread = co_await Reread(pull->context, node->address);
  // The image is there all the same; the node's next refresh reads the list again.
  (void)reread;
  co_return absl::OkStatus();
}

void Conclude(Pull& pull) {
  Output& output = *pull.output;
  std::sort(pull.failed.begin(), pull.failed.end());
  std::sort(pull.pulled.begin(), pull.pulled.end());
  const std::size_t all = pull.nodes.size();
  if (pull.failed.empty()) {
    output.Write(ProgressLine("", "Pulled on " + std::to_string(all) + "/" + std::to_string(all) +
                                      " nodes: " + Join(pull.pulled, ", ")));
  } else {
    output.Write(ErrorLine(pull.reference + " was pulled on " + std::to_string(pull.pulled.size()) +
                           " of " + std::to_string(all) + " nodes: " + Join(pull.failed, "; ")));
  }
  output.End();
}

// Takes one node after the other until none is left.
Task<void> PullWorker(std::shared_ptr<Pull> pull) {
  while (pull->next < pull->nodes.size() && !pull->output->gone()) {
    const NodePointer node = pull->nodes[pull->next++];
    const std::string name = NameOf(*node);
    const std::string doing = "Pulling " + pull->reference + "...";
    pull->output->Write(ProgressLine(name, doing));
    const absl::Status status = co_await PullOn(pull, node);
    if (status.ok()) {
      pull->pulled.push_back(name);
      pull->output->Write(ProgressLine(name, doing + " : downloaded"));
    } else {
      pull->failed.push_back(name + ": " + std::string(MessageOf(status)));
      pull->output->Write(ProgressLine(name, doing + " : " + std::string(MessageOf(status))));
    }
  }
  if (--pull->workers == 0 && !pull->output->gone()) Conclude(*pull);
}

std::string ReferenceOf(const Query& query) {
  const std::string* image = FindQuery(query, "fromImage");
  const std::string* tag = FindQuery(query, "tag");
  if (image == nullptr) return "";
  if (tag == nullptr || tag->empty()) return *image;
  const bool digest = tag->find(':') != std::string::npos;
  return *image + (digest ? "@" : ":") + *tag;
}

}  // namespace

Task<Result> PullImage(ContextPointer context, Exchange exchange) {
  const std::string reference = ReferenceOf(exchange.query);
  if (reference.empty()) {
    const std::string* source = FindQuery(exchange.query, "fromSrc");
    if (source == nullptr || source->empty()) {
      co_return InvalidArgument("neither fromImage nor fromSrc was given: what is to be pulled?");
    }
    co_return Unimplemented(
        "importing an image is not offered by this version of swarmd: do it on the node, for "
        "example \"docker -H NODE "
        "import\". \"docker info\" lists the nodes.");
  }
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  if (nodes.empty()) {
    co_return Unavailable("no healthy node can pull " + reference +
                          ": \"docker info\" shows the state of each");
  }
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto pull = std::make_shared<Pull>();
  pull->context = std::move(context);
  pull->output = std::make_shared<Output>(*loop, kMostProgress);
  pull->reference = reference;
  pull->query = std::move(exchange.query);
  pull->headers = EngineHeaders(exchange.request.headers, true);
  RemoveHeader(pull->headers, "Content-Type");
  pull->client = exchange.version;
  pull->nodes = std::move(nodes);
  const std::weak_ptr<Pull> weak = pull;
  pull->output->OnGone([weak] {
    const std::shared_ptr<Pull> pull = weak.lock();
    if (!pull) return;
    pull->stop.request_stop();
    for (const auto& [address, stream] : pull->streams) stream->Abort();
  });
  Reply reply = JsonReply(200, "");
  reply.body_stream = pull->output->Reader();
  pull->workers = std::min(pull->nodes.size(), kMostPullsAtOnce);
  const std::size_t workers = pull->workers;
  for (std::size_t count = 0; count < workers; ++count) loop->Spawn(PullWorker(pull));
  co_return reply;
}

}  // namespace swarm
