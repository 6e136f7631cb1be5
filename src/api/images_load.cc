#include <algorithm>
#include <memory>
#include <utility>

#include "api/handlers.h"
#include "api/image_upload.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "wire/json.h"
#include "wire/progress.h"

namespace swarm {
namespace {

constexpr std::size_t kMostLoadedLines = 4'096;

// What engines said they loaded: each line once, in the order it came.
struct Loaded {
  std::vector<std::string> lines;
  bool quiet = false;
};

void TellLoaded(NodeWork& work, Loaded& loaded, const Node& node, const std::string& object) {
  JsonDocument document;
  if (!document.Parse(object).ok()) return;
  const JsonValue stream = document.root().Find("stream");
  if (!stream) {
    if (!loaded.quiet) TellLayer(work, node, object);
    return;
  }
  std::string line(Trim(stream.text()));
  if (line.empty()) return;
  if (!loaded.quiet) work.output->Write(ProgressLine(NameOf(node), line));
  auto& lines = loaded.lines;
  if (lines.size() < kMostLoadedLines && std::find(lines.begin(), lines.end(), line) == lines.end())
    lines.push_back(std::move(line));
}

void ConcludeLoad(NodeWork& work, const Loaded& loaded) {
  for (const std::string& line : loaded.lines) {
    // As one engine says it: clients read the names of the images from these lines.
    work.output->Write("{\"stream\":" + JsonString(line + "\n") + "}\r\n");
  }
  if (!work.failed.empty())
    work.output->Write(ErrorLine("the upload was loaded on " + WhereItWent(work)));
  work.output->End();
}

}  // namespace

Task<Result> LoadImages(ContextPointer context, ApiExchange exchange) {
  std::vector<NodePointer> nodes = HealthyNodes(*context);
  if (nodes.empty()) co_return NobodyTakes("load an image");
  const absl::StatusOr<std::shared_ptr<Spool>> spool = Spool::Create();
  if (!spool.ok()) co_return spool.status();
  const absl::Status filled = co_await FillSpool(*spool, std::move(exchange.request.body),
                                                 std::move(exchange.request.body_stream), nullptr);
  if (!filled.ok()) co_return filled;
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto loaded = std::make_shared<Loaded>();
  const std::string* quiet = FindQuery(exchange.query, "quiet");
  loaded->quiet = quiet != nullptr && ParseBoolean(*quiet);
  const std::shared_ptr<NodeWork> work =
      LoadingWork(*loop, std::move(context), *spool, std::move(exchange.query), exchange.version);
  work->nodes = std::move(nodes);
  work->tell = [loaded](NodeWork& telling, const Node& node, const std::string& object) {
    TellLoaded(telling, *loaded, node, object);
  };
  work->conclude = [loaded](NodeWork& done) { ConcludeLoad(done, *loaded); };
  Reply reply = JsonReply(200, "");
  reply.body_stream = work->output->Reader();
  BeginWork(*loop, work);
  co_return reply;
}

}  // namespace swarm
