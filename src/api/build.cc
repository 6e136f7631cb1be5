// Builds: POST /build of the classic builder and of BuildKit, and the connections of a BuildKit
// build. Why a session has a node: docs/design/050-build-sessions.md.
#include "api/build.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "api/build_context.h"
#include "api/build_hold.h"
#include "api/build_place.h"
#include "api/build_relay.h"
#include "api/build_sessions.h"
#include "api/each_node.h"
#include "api/readings.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/await.h"
#include "async/loop.h"
#include "base/check.h"
#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

using Key = BuildSessions::Key;
using Keys = BuildSessions::Keys;

// A part of a build that comes before the one that decides waits so long for it.
constexpr Duration kDecisionPatience = std::chrono::seconds(5);
constexpr std::size_t kMostBuildId = 512;
constexpr std::string_view kUploadPrefix = "upload-request:";

std::string QueryTextOf(const Query& query, std::string_view key) {
  const std::string* value = FindQuery(query, key);
  return value == nullptr ? std::string() : *value;
}

std::string NodeAskedFor(const ApiExchange& exchange) {
  const std::string* node = FindHeader(exchange.request.headers, "X-Swarmd-Node");
  return node == nullptr ? std::string() : *node;
}

// A client is who its certificate says, else its address; two programs of one host differ in what
// they call themselves.
Key ClientKey(const Request& request) {
  const Peer& peer = request.peer;
  std::string who = "certificate " + peer.common_name;
  if (peer.common_name.empty()) who = peer.address.substr(0, peer.address.rfind(':'));
  const std::string* program = FindHeader(request.headers, "User-Agent");
  return {Key::Kind::kClient, who + " " + (program == nullptr ? std::string() : *program)};
}

// The session and the build that a request to /build belongs to.
Keys KeysOfBuild(const Query& query) {
  Keys keys;
  const std::string session = QueryTextOf(query, "session");
  std::string build = QueryTextOf(query, "buildid");
  if (build.starts_with(kUploadPrefix)) build.erase(0, kUploadPrefix.size());
  if (!session.empty()) keys.push_back({Key::Kind::kSession, session});
  if (!build.empty()) keys.push_back({Key::Kind::kBuild, build});
  return keys;
}

absl::Status CheckLengths(const Keys& keys) {
  for (const Key& key : keys) {
    if (key.text.size() <= kMostBuildId) continue;
    return InvalidArgument("the id of a build or a session is longer than " +
                           std::to_string(kMostBuildId) + " bytes");
  }
  return absl::OkStatus();
}

// The node that another part of the build gets within kDecisionPatience; empty when none comes.
Task<std::string> AwaitDecision(ContextPointer context, Keys keys) {
  struct Waiting {
    Callback<std::string> done;
    Loop::TimerId timer = 0;
    BuildSessions::WaitId id = 0;
  };
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto start = [context, loop, keys = std::move(keys)](Callback<std::string> done) {
    auto waiting = std::make_shared<Waiting>();
    waiting->done = std::move(done);
    // Only the timer holds what waits: the table is held by it.
    const std::weak_ptr<Waiting> weak = waiting;
    waiting->timer = loop->After(kDecisionPatience, [context, waiting] {
      context->build_sessions()->GiveUp(waiting->id);
      if (waiting->done) std::exchange(waiting->done, nullptr)("");
    });
    // Decided on any thread; acted on here.
    waiting->id = context->build_sessions()->Await(keys, [loop, weak](std::string node) {
      loop->Post([loop, weak, node = std::move(node)] {
        const std::shared_ptr<Waiting> held = weak.lock();
        if (!held || !held->done) return;
        loop->Cancel(held->timer);
        std::exchange(held->done, nullptr)(node);
      });
    });
  };
  return AwaitCallback<std::string>(std::move(start));
}

// Reads the beginning of the upload until the Dockerfile is found in it. What was read stays in the
// request.
Task<std::vector<std::string>> PeekBaseImages(Request* request, std::string dockerfile,
                                              const BuildRequest* build) {
  std::vector<std::string> images;
  std::vector<char> buffer(64U << 10U);
  for (;;) {
    const PeekedFile peeked = PeekFile(request->body, dockerfile);
    if (peeked.state == PeekedFile::State::kFound)
      images = BaseImages(peeked.content, build->arguments);
    if (peeked.state != PeekedFile::State::kNeedMore || !request->body_stream) co_return images;
    Stream& stream = *request->body_stream;
    const std::span<char> into(buffer);
    const absl::StatusOr<std::size_t> got = co_await Read(stream, into);
    if (!got.ok() || *got == 0) {
      // What ends here is said again to whoever reads on.
      if (got.ok()) request->body_stream.reset();
      if (got.ok()) request->body_length.reset();
      co_return images;
    }
    request->body.append(buffer.data(), *got);
    if (request->body_length)
      *request->body_length -= std::min<std::uint64_t>(*got, *request->body_length);
  }
}

// Where a build goes, and is held. What was decided by another part of it stays, if the build may
// go there.
Task<absl::StatusOr<BuildPlace>> PlaceOfBuild(ContextPointer context, ApiExchange* exchange,
                                              BuildRequest* build) {
  BuildSessions& sessions = *context->build_sessions();
  const Keys keys = KeysOfBuild(exchange->query);
  const absl::Status checked = CheckLengths(keys);
  if (!checked.ok()) co_return checked;
  std::string decided = sessions.NodeOf(keys);
  const bool is_upload = QueryTextOf(exchange->query, "buildid").starts_with(kUploadPrefix);
  if (decided.empty() && is_upload) decided = co_await AwaitDecision(context, keys);
  // What belongs to a build that is held already is not held again.
  if (is_upload) build->spec.request = Resources();
  const bool asks_nothing = build->spec.request == Resources();
  BuildWishes wishes;
  wishes.node = NodeAskedFor(*exchange);
  BuildPlace place;
  if (!decided.empty()) {
    const NodePointer node = context->cluster().FindNode(decided);
    if (!node)
      co_return Unavailable("node " + decided + ", where the build began, has left the cluster");
    const bool may_choose = wishes.node.empty() && build->spec.constraints.empty();
    // The other keys of the build mean this node from now on too.
    const absl::StatusOr<std::string> same = sessions.Decide(keys, decided);
    if (!same.ok()) co_return same.status();
    place.node = node;
    if (may_choose && asks_nothing) co_return place;
    if (wishes.node.empty()) wishes.node = node->name;
  } else {
    std::string dockerfile = QueryTextOf(exchange->query, "dockerfile");
    if (dockerfile.empty()) dockerfile = "Dockerfile";
    Request* const request = &exchange->request;
    const BuildRequest* const wanted = build;
    wishes.images = co_await PeekBaseImages(request, std::move(dockerfile), wanted);
  }
  wishes.names = build->names;
  if (!build->spec.affinities.empty()) co_await AwaitReadings(context);
  absl::StatusOr<BuildPlace> chosen = co_await HoldBuild(context, build->spec, wishes);
  if (!chosen.ok() || keys.empty()) co_return chosen;
  const absl::StatusOr<std::string> address = sessions.Decide(keys, chosen->node->address);
  if (!address.ok()) co_return address.status();
  if (*address == chosen->node->address) co_return chosen;
  const NodePointer node = context->cluster().FindNode(*address);
  const bool is_free = wishes.node.empty() && build->spec.constraints.empty();
  if (node && is_free) {
    place.node = node;
    if (asks_nothing) co_return place;
    wishes.node = node->name;
    chosen = co_await HoldBuild(context, build->spec, wishes);
    co_return chosen;
  }
  co_return FailedPrecondition("the build began on node " + (node ? node->name : *address) +
                               ", and " + chosen->node->name + " is asked for: build again");
}

std::shared_ptr<BuildRun> BeginBuild(const ContextPointer& context, NodePointer node, Keys keys,
                                     std::stop_token stop) {
  Loop* const loop = Loop::Current();
  SWARM_CHECK(loop != nullptr, "requests run on a Loop");
  auto build = std::make_shared<BuildRun>();
  build->context = context;
  build->holds.push_back(std::make_shared<BuildSessions::Hold>(context->build_sessions(),
                                                               std::move(keys), node->address));
  build->watched = std::make_shared<ClientRun>(*loop, context, std::move(node), std::move(stop));
  return build;
}

// The client's request at the node of the build. Ends when the client goes, and when the node stops
// being healthy.
Task<Result> AskBuilder(std::shared_ptr<BuildRun> build, ApiExchange exchange, EngineCall call) {
  const std::shared_ptr<NodeRun> run = build->watched->run();
  call.node = run->node;
  exchange.request.stop = run->stop.get_token();
  const std::string where = "node " + NameOf(*run->node) + ", build";
  Result answer = co_await CallEngine(build->context, std::move(exchange), std::move(call));
  if (!run->cut.ok()) co_return Annotate(run->cut, where);
  co_return answer;
}

// Where a tunnel of the client goes that nobody has decided anything for.
Task<absl::StatusOr<NodePointer>> PlaceTunnel(ContextPointer context, std::string wanted) {
  BuildWishes wishes;
  wishes.node = std::move(wanted);
  ContainerSpec any;
  return PlaceBuild(std::move(context), std::move(any), std::move(wishes));
}

Task<Result> OpenTunnel(ContextPointer context, ApiExchange exchange, std::string path, Keys keys,
                        NodePointer node) {
  const std::shared_ptr<BuildRun> build =
      BeginBuild(context, std::move(node), std::move(keys), exchange.request.stop);
  EngineCall call;
  call.path = std::move(path);
  call.way = EngineCall::Way::kTunnel;
  Result answer = co_await AskBuilder(build, std::move(exchange), std::move(call));
  if (answer.ok() && answer->tunnel) answer->tunnel = RelayTunnel(build, std::move(answer->tunnel));
  co_return answer;
}

bool IsHealthy(const Context& context, const std::string& address) {
  const NodePointer node = context.cluster().FindNode(address);
  return node && node->state == NodeState::kHealthy;
}

}  // namespace

Task<Result> BuildImage(ContextPointer context, ApiExchange exchange) {
  const CreateRules& rules = context->options().rules;
  absl::StatusOr<BuildRequest> wanted = ReadBuild(exchange.query, rules);
  if (!wanted.ok()) co_return wanted.status();
  ApiExchange* const asked = &exchange;
  BuildRequest* const request = &*wanted;
  absl::StatusOr<BuildPlace> place = co_await PlaceOfBuild(context, asked, request);
  if (!place.ok()) co_return place.status();
  const NodePointer node = place->node;
  const std::shared_ptr<BuildRun> build =
      BeginBuild(context, node, KeysOfBuild(exchange.query), exchange.request.stop);
  build->place = std::move(place->hold);
  exchange.query = std::move(wanted->query);
  SetSharesOfCores(rules, *node, exchange.query);
  EngineCall call;
  call.path = "/build";
  call.way = EngineCall::Way::kStream;
  call.timeout = kLongCall;
  call.pass_body = true;
  call.registry = true;
  Result answer = co_await AskBuilder(build, std::move(exchange), std::move(call));
  if (!answer.ok() || answer->status >= 300) co_return answer;
  Reply reply = *std::move(answer);
  co_return RelayBuild(build, std::move(reply));
}

Task<Result> CancelBuild(ContextPointer context, ApiExchange exchange) {
  const std::string id = QueryTextOf(exchange.query, "id");
  if (id.empty()) co_return InvalidArgument("build ID not provided");
  const Keys keys = {{Key::Kind::kBuild, id}};
  EngineCall call;
  call.node = context->cluster().FindNode(context->build_sessions()->NodeOf(keys));
  call.path = "/build/cancel";
  if (call.node) {
    Result answer = co_await CallEngine(std::move(context), std::move(exchange), std::move(call));
    co_return answer;
  }
  // Maybe another manager's: engines say nothing against ids that they do not know.
  std::vector<NodeRequest> requests;
  for (const NodePointer& node : HealthyNodes(*context))
    requests.push_back({node, "POST", "/build/cancel", exchange.query, {}});
  const std::vector<NodeAnswer> answers =
      co_await AskEach(context, std::move(requests), exchange.version, exchange.request.stop);
  (void)answers;
  co_return EmptyReply(200);
}

Task<Result> OpenSession(ContextPointer context, ApiExchange exchange) {
  const std::string* id = FindHeader(exchange.request.headers, "X-Docker-Expose-Session-Uuid");
  if (id == nullptr || id->empty())
    co_return InvalidArgument("the header X-Docker-Expose-Session-Uuid is missing");
  BuildSessions& sessions = *context->build_sessions();
  const Key client = ClientKey(exchange.request);
  const Keys session = {{Key::Kind::kSession, *id}};
  const absl::Status checked = CheckLengths(session);
  if (!checked.ok()) co_return checked;
  const std::string wanted = NodeAskedFor(exchange);
  std::string address = sessions.NodeOf(session);
  if (address.empty() && wanted.empty()) {
    // The builder of a client that has one open; else of whichever part of the build comes now.
    address = sessions.OpenNodeOf({client});
    const Keys awaited = {session.front(), client};
    if (address.empty() && sessions.NodeOf({client}).empty()) {
      address = co_await AwaitDecision(context, awaited);
    } else if (address.empty()) {
      address = co_await AwaitDecision(context, session);
      if (address.empty()) address = sessions.NodeOf({client});
      if (!address.empty() && !IsHealthy(*context, address)) address.clear();
    }
  }
  if (address.empty()) {
    const absl::StatusOr<NodePointer> chosen = co_await PlaceTunnel(context, wanted);
    if (!chosen.ok()) co_return chosen.status();
    address = (*chosen)->address;
  }
  const absl::StatusOr<std::string> decided = sessions.Decide(session, address);
  if (!decided.ok()) co_return decided.status();
  NodePointer node = context->cluster().FindNode(*decided);
  if (!node) co_return Unavailable("node " + *decided + " of the session has left the cluster");
  Result answer = co_await OpenTunnel(std::move(context), std::move(exchange), "/session", session,
                                      std::move(node));
  co_return answer;
}

Task<Result> OpenGrpc(ContextPointer context, ApiExchange exchange) {
  BuildSessions& sessions = *context->build_sessions();
  const Key client = ClientKey(exchange.request);
  const std::string wanted = NodeAskedFor(exchange);
  std::string address = sessions.NodeOf({client});
  if (address.empty() || !wanted.empty() || !IsHealthy(*context, address)) {
    const absl::StatusOr<NodePointer> chosen = co_await PlaceTunnel(context, wanted);
    if (!chosen.ok()) co_return chosen.status();
    if ((*chosen)->address != address) sessions.Forget(client);
    address = (*chosen)->address;
  }
  const Keys keys = {client};
  const absl::StatusOr<std::string> decided = sessions.Decide(keys, address);
  if (!decided.ok()) co_return decided.status();
  NodePointer node = context->cluster().FindNode(*decided);
  if (!node) co_return Unavailable("node " + *decided + " has just left the cluster: try again");
  Result answer =
      co_await OpenTunnel(std::move(context), std::move(exchange), "/grpc", keys, std::move(node));
  co_return answer;
}

}  // namespace swarm
