// A file system becomes an image: made by one node, loaded by the others, so that it has one id.
#include <algorithm>
#include <memory>
#include <utility>

#include "api/handlers.h"
#include "api/image_holders.h"
#include "api/image_upload.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/errors.h"
#include "wire/events.h"
#include "wire/images.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

// The id in an engine's answer to an import, or the error that it told.
absl::StatusOr<std::string> ImportedId(std::string_view answer) {
  ObjectSplitter splitter(kMostErrorBody);
  std::vector<std::string> objects;
  const absl::Status split = splitter.Feed(answer, objects);
  if (!split.ok()) return split;
  std::string id;
  for (const std::string& object : objects) {
    if (const std::string error = ProgressError(object); !error.empty()) return Internal(error);
    JsonDocument document;
    if (!document.Parse(object).ok()) continue;
    const std::string status = document.root().Find("status").text();
    if (status.starts_with("sha256:")) id = status;
  }
  if (id.empty()) return Internal("the engine did not tell the id of the imported image");
  return id;
}

// What is under way of one import.
struct Import {
  ContextPointer context;
  NodePointer node;  // where it is imported; the others get what came of it
  Query query;
  Headers headers;
  ApiVersion client;
  std::stop_token stop;
  std::shared_ptr<Spool> spool;  // null when the engine fetches it from a URL
};

Task<absl::StatusOr<std::string>> ImportOn(std::shared_ptr<Import> import) {
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  const ClientRun watched(*loop, import->context, import->node, import->stop);
  const std::shared_ptr<NodeRun> run = watched.run();
  Request request;
  std::string target =
      EngineTarget(SpokenTo(*import->node, import->client), "/images/create", import->query);
  if (import->spool) {
    request = UploadTo(run, import->spool, import->context, std::move(target), import->headers);
  } else {
    request.method = "POST";
    request.target = std::move(target);
    request.headers = import->headers;
  }
  CallOptions options;
  options.timeout = kLongCall;
  options.max_body = kMostInspectBody;
  options.stop = run->stop.get_token();
  Result answer = co_await SendToEngine(import->context, import->node, std::move(request),
                                        EngineCall::Way::kWhole, std::move(options));
  if (!run->cut.ok()) co_return Annotate(run->cut, import->node->name);
  if (!answer.ok()) co_return Annotate(answer.status(), import->node->name);
  if (answer->status >= 400)
    co_return HttpError(std::min(answer->status, 599), EngineMessage(answer->body));
  absl::StatusOr<std::string> id = ImportedId(answer->body);
  if (!id.ok()) co_return Annotate(id.status(), import->node->name);
  const absl::Status reread = co_await RereadImages(import->context, import->node->address);
  (void)reread;  // its events have them read again too
  co_return id;
}

// The imported image as its node saves it: so it has the same id everywhere.
Task<absl::Status> FetchImported(std::shared_ptr<Import> import, std::string name,
                                 std::shared_ptr<Spool> into) {
  Loop* const loop = Loop::Current();
  Request request;
  request.method = "GET";
  const std::string path = "/images/" + PercentEncode(name) + "/get";
  request.target = EngineTarget(SpokenTo(*import->node, import->client), path, Query());
  const ClientRun watched(*loop, import->context, import->node, import->stop);
  const std::shared_ptr<NodeRun> run = watched.run();
  run->patience = kMostUnpacking;
  CallOptions options;
  options.timeout = kLongCall;
  options.stop = run->stop.get_token();
  Result answer = co_await SendToEngine(import->context, import->node, std::move(request),
                                        EngineCall::Way::kStream, std::move(options));
  if (!run->cut.ok()) co_return run->cut;
  if (!answer.ok()) co_return answer.status();
  if (answer->status >= 400) {
    Reply reply = *std::move(answer);
    const Result settled = co_await SettleError(std::move(reply), import->client, import->client);
    if (!settled.ok()) co_return settled.status();
    co_return HttpError(std::min(settled->status, 599), EngineMessage(settled->body));
  }
  std::unique_ptr<Stream> body = std::move(answer->body_stream);
  run->answer = body.get();
  auto moved = [run, context = import->context] { run->moved = context->clock().Now(); };
  const absl::Status filled =
      co_await FillSpool(std::move(into), answer->body, std::move(body), std::move(moved));
  run->answer = nullptr;
  if (!run->cut.ok()) co_return run->cut;
  co_return filled;
}

// What the imported image is called, or its id when it has no name.
std::string NameOfImported(const Query& query, const std::string& id) {
  const std::string* repository = FindQuery(query, "repo");
  const std::string* tag = FindQuery(query, "tag");
  if (repository == nullptr || repository->empty()) return id;
  return tag == nullptr || tag->empty() ? WithDefaultTag(*repository) : *repository + ":" + *tag;
}

void ConcludeImport(NodeWork& work, const std::string& id, const std::string& first) {
  if (work.failed.empty()) {
    work.output->Write(ProgressLine("", id));
  } else {
    work.succeeded.insert(work.succeeded.begin(), first);
    work.output->Write(ErrorLine(id + " was imported on " + WhereItWent(work)));
  }
  work.output->End();
}

}  // namespace

Task<Result> ImportImage(ContextPointer context, ApiExchange exchange) {
  const std::string* source = FindQuery(exchange.query, "fromSrc");
  if (source == nullptr || source->empty()) {
    co_return InvalidArgument("neither fromImage nor fromSrc was given: what is to be pulled?");
  }
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  if (nodes.empty()) co_return NobodyTakes("import an image");
  auto import = std::make_shared<Import>();
  if (*source == "-") {
    const absl::StatusOr<std::shared_ptr<Spool>> upload = Spool::Create();
    if (!upload.ok()) co_return upload.status();
    const absl::Status filled =
        co_await FillSpool(*upload, std::move(exchange.request.body),
                           std::move(exchange.request.body_stream), nullptr);
    if (!filled.ok()) co_return filled;
    import->spool = *upload;
  }
  import->context = context;
  import->node = nodes.front();
  import->query = std::move(exchange.query);
  import->headers = EngineHeaders(exchange.request.headers, false);
  RemoveHeader(import->headers, "Content-Type");
  import->client = exchange.version;
  import->stop = exchange.request.stop;
  const absl::StatusOr<std::string> id = co_await ImportOn(import);
  if (!id.ok()) co_return id.status();
  import->spool.reset();
  if (nodes.size() == 1) co_return JsonReply(200, ProgressLine("", *id));
  const absl::StatusOr<std::shared_ptr<Spool>> image = Spool::Create();
  if (!image.ok()) co_return image.status();
  std::string name = NameOfImported(import->query, *id);
  const absl::Status fetched = co_await FetchImported(import, std::move(name), *image);
  if (!fetched.ok()) {
    co_return HttpError(500, *id + " was imported on " + import->node->name +
                                 " only, and could not be read from there for the other nodes: " +
                                 std::string(MessageOf(fetched)));
  }
  Loop* const loop = Loop::Current();
  const Query quietly = {{"quiet", "1"}};
  const std::shared_ptr<NodeWork> work =
      LoadingWork(*loop, std::move(context), *image, quietly, exchange.version);
  const std::string first = nodes.front()->name;
  work->nodes.assign(nodes.begin() + 1, nodes.end());
  work->tell = [](NodeWork&, const Node&, const std::string&) {};
  work->conclude = [id = *id, first](NodeWork& done) { ConcludeImport(done, id, first); };
  Reply reply = JsonReply(200, "");
  reply.body_stream = work->output->Reader();
  BeginWork(*loop, work);
  co_return reply;
}

}  // namespace swarm
