#include "cluster/operate.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "async/await.h"
#include "base/text.h"
#include "cluster/engine_calls.h"
#include "cluster/inspect.h"
#include "swarmlib/status.h"
#include "wire/filters.h"

namespace swarm {
namespace {

using Verb = ContainerOperation::Verb;

std::string_view VerbText(Verb verb) {
  switch (verb) {
    case Verb::kStart: return "start";
    case Verb::kStop: return "stop";
    case Verb::kRestart: return "restart";
    case Verb::kKill: return "kill";
    case Verb::kPause: return "pause";
    case Verb::kUnpause: return "unpause";
    case Verb::kUpdate: return "update";
    case Verb::kRename: return "rename";
    case Verb::kRemove: return "remove";
  }
  return "";
}

// The event that tells of the verb before the answer. What stops a container tells so by events
// that may come later.
std::string OwnEvent(Verb verb) {
  switch (verb) {
    case Verb::kStart:
    case Verb::kPause:
    case Verb::kUnpause:
    case Verb::kUpdate:
    case Verb::kRename: return std::string(VerbText(verb));
    default: return {};
  }
}

std::string NameOf(const Container& container) {
  return container.names.empty() ? container.id.substr(0, 12) : container.names.front();
}

Request OperationMessage(const ContainerOperation& operation, const Node& node) {
  std::string target = VersionPrefix(node, operation.api_version);
  target.append("/containers/").append(operation.entry->container.id);
  const bool removes = operation.verb == Verb::kRemove;
  if (!removes) target.append("/").append(VerbText(operation.verb));
  std::string query = operation.query;
  if (operation.verb == Verb::kRename && query.empty())
    query = "name=" + PercentEncode(operation.new_name);
  if (!query.empty()) target.append("?").append(query);
  Request message = MakeRequest(removes ? "DELETE" : "POST", std::move(target));
  for (const auto& [name, value] : operation.headers) message.headers.emplace_back(name, value);
  if (!operation.body.empty() && FindHeader(message.headers, "Content-Type") == nullptr) {
    SetHeader(message.headers, "Content-Type", "application/json");
  }
  message.body = operation.body;
  return message;
}

// What the operation will take, held until it is over; 0 when it takes nothing.
absl::StatusOr<std::uint64_t> Reserve(Hub& hub, const ContainerOperation& operation) {
  const std::string& id = operation.entry->container.id;
  return hub.state.Reserve([&](ClusterState& state) -> absl::StatusOr<std::uint64_t> {
    switch (operation.verb) {
      case Verb::kStart:
      case Verb::kRestart: return state.ReserveStart(id);
      case Verb::kRename: {
        absl::StatusOr<std::uint64_t> name = state.ReserveName(id, operation.new_name);
        if (name.ok()) return name;
        return Annotate(name.status(), "Error when allocating new name");  // an engine's words
      }
      case Verb::kUpdate:
        if (operation.update) return state.ReserveUpdate(id, *operation.update);
        return 0;
      default: return 0;
    }
  });
}

void Erase(const Engine& engine, const std::string& id) {
  Hub& hub = engine.hub();
  hub.put_off.Forget(engine, id);
  const std::uint64_t read = hub.state.BeginRead(engine.member());
  hub.state.PublishContainer(engine.member(), read, id, nullptr);
  hub.state.EndRead(engine.member(), read);
}

// A start whose container need not be read before it is answered. What is read of it while it is
// under way is newer than what its answer tells.
class PutOffStart {
 public:
  PutOffStart(const Engine& engine, const ContainerOperation& operation)
      : state_(engine.hub().state), member_(engine.member()) {
    if (operation.may_be_read_later && operation.verb == Verb::kStart)
      read_ = state_.BeginRead(member_);
  }
  ~PutOffStart() {
    if (read_ != 0) state_.EndRead(member_, read_);
  }
  PutOffStart(const PutOffStart&) = delete;
  PutOffStart& operator=(const PutOffStart&) = delete;

  bool Publish(const std::string& id, WallTime now) const {
    return read_ != 0 && state_.PublishStart(member_, read_, id, now);
  }

 private:
  SharedState& state_;
  const Member member_;
  std::uint64_t read_ = 0;
};

// True when what the operation did is known and published, and the container will be read.
bool PutOffReading(const std::shared_ptr<Engine>& engine, const ContainerOperation& operation,
                   const absl::StatusOr<Reply>& reply, const PutOffStart& start,
                   UnderWay::Change& change) {
  if (!reply.ok() || reply->status != 204) return false;
  Hub& hub = engine->hub();
  const std::string& id = operation.entry->container.id;
  if (!start.Publish(id, hub.WallNow())) return false;
  change.BeginReading(true);
  hub.put_off.Add(engine, id);
  change.EndReading(true);
  return true;
}

}  // namespace

Duration OperationTimeout(const ContainerOperation& operation) {
  switch (operation.verb) {
    case Verb::kStop:
    case Verb::kRestart: break;
    case Verb::kRemove: return kStopTimeout;
    default: return kOperationTimeout;
  }
  const Query query = ParseQuery(operation.query);
  const std::string* const wait = FindQuery(query, "t");
  if (wait == nullptr || wait->empty()) return kStopTimeout;
  const std::optional<std::uint64_t> seconds = ParseUnsigned(*wait);
  if (!seconds) return kLongestStop;  // -1: as long as it takes
  constexpr std::uint64_t kMostSeconds =
      std::chrono::duration_cast<std::chrono::seconds>(kLongestStop).count();
  return std::chrono::seconds(std::min(*seconds, kMostSeconds)) + kStopMargin;
}

Task<absl::StatusOr<Reply>> RunOperation(std::shared_ptr<Hub> hub, ContainerOperation operation) {
  const Container& container = operation.entry->container;
  const std::shared_ptr<Engine> engine = hub->membership.Find(container.node);
  if (!engine) {
    co_return Unavailable("the node " + container.node + " of container " + NameOf(container) +
                          " left the cluster");
  }
  if (!engine->healthy()) co_return engine->Refusal();
  const absl::StatusOr<std::uint64_t> ticket = Reserve(*hub, operation);
  if (!ticket.ok()) co_return ticket.status();

  UnderWay::Change change(engine->under_way(), container.id, OwnEvent(operation.verb));
  const PutOffStart put_off(*engine, operation);
  Request message = OperationMessage(operation, NodeNow(*engine));
  CallOptions options;
  options.timeout = OperationTimeout(operation);
  const std::shared_ptr<BackendClient> guard = engine->guard();
  absl::StatusOr<Reply> reply = co_await Call(*guard, std::move(message), std::move(options));

  const bool removed = reply.ok() && operation.verb == Verb::kRemove && reply->status == 204;
  if (removed) {
    Erase(*engine, container.id);
  } else if (PutOffReading(engine, operation, reply, put_off, change)) {
    // What is published now counts; whoever asks for more has it read.
  } else if (engine->healthy() && !absl::IsUnavailable(reply.status())) {
    // Also after a refusal or a lost answer: what is known may have been out of date.
    change.BeginReading(reply.ok() && reply->status < 300);
    const absl::Status reread = co_await Reread(engine, container.id, engine->health_token());
    change.EndReading(reread.ok());
  }
  if (*ticket != 0) {
    const std::uint64_t held = *ticket;
    hub->state.Reserve([held](ClusterState& state) { state.Release(held); });
  }
  if (reply.ok()) co_return reply;
  std::string what(VerbText(operation.verb));
  what.append(" of container ")
      .append(NameOf(container))
      .append(" on node ")
      .append(engine->Label());
  if (absl::IsCancelled(reply.status())) {
    co_return Unavailable(what + " was not answered: " + std::string(MessageOf(reply.status())));
  }
  co_return Annotate(reply.status(), what);
}

}  // namespace swarm
