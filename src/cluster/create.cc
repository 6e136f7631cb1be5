#include "cluster/create.h"

#include <algorithm>
#include <utility>

#include "async/await.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/text.h"
#include "cluster/aside.h"
#include "cluster/engine_calls.h"
#include "cluster/inspect.h"
#include "core/described.h"
#include "swarmlib/status.h"
#include "wire/create.h"
#include "wire/errors.h"
#include "wire/images.h"

namespace swarm {
namespace {

// Gives a place back at the end of its try, whatever way that comes, unless it was settled, or
// nobody knows what became of the create.
struct PlaceKeeper {
  PlaceKeeper(std::shared_ptr<Hub> its_hub, std::uint64_t its_ticket)
      : hub(std::move(its_hub)), ticket(its_ticket) {}
  ~PlaceKeeper() {
    if (!in_doubt) hub->state.GiveBack(ticket);
  }
  PlaceKeeper(const PlaceKeeper&) = delete;
  PlaceKeeper& operator=(const PlaceKeeper&) = delete;

  const std::shared_ptr<Hub> hub;
  const std::uint64_t ticket;
  bool in_doubt = false;
};

// One try on one node.
struct Attempt {
  std::shared_ptr<Hub> hub;
  std::shared_ptr<Engine> engine;
  HeldPlace place;
  std::shared_ptr<PlaceKeeper> keeper;
  CreateRequest* request = nullptr;  // of the coroutine that waits for the attempt
  bool prepared = false;
  std::shared_ptr<UnderWay::Change> change = nullptr;  // once the engine is asked
};

bool IsNodeConstraint(const Expression& expression) {
  return EqualsIgnoreCase(expression.key, "node") && !expression.soft &&
         expression.op == Expression::Operator::kEqual;
}

std::string BodyFor(const Attempt& attempt) {
  const std::string& body = attempt.request->body;
  if (!attempt.hub->options.create_rules.cpu_shares_as_cores) return body;
  return WithSharesOfCores(body, NodeNow(*attempt.engine));
}

// The id that was given is another container's, or there was none: the container gets the one that
// was made for it.
void TakeSwarmId(CreateRequest& request, const std::string& swarm_id) {
  if (request.spec.swarm_id == swarm_id) return;
  request.spec.swarm_id = swarm_id;
  request.spec.labels.insert_or_assign(std::string(kSwarmIdLabel), swarm_id);
  request.body = WithSwarmId(request.body, swarm_id);
}

Request CreateMessage(const Attempt& attempt) {
  const CreateRequest& request = *attempt.request;
  std::string target = VersionPrefix(NodeNow(*attempt.engine), request.api_version);
  target.append("/containers/create?name=").append(PercentEncode(attempt.place.reservation.name));
  if (!request.query.empty()) target.append("&").append(request.query);
  Request message = MakeRequest("POST", std::move(target));
  SetHeader(message.headers, "Content-Type", "application/json");
  message.body = BodyFor(attempt);
  return message;
}

// What is known of a container that its engine made and has not described.
ContainerRecord PlainRecord(const Attempt& attempt, const std::string& id) {
  const ContainerSpec& spec = attempt.request->spec;
  ContainerRecord record;
  record.container = DescribedContainer(spec, attempt.engine->address(),
                                        attempt.place.reservation.name, spec.swarm_id);
  Container& container = record.container;
  container.id = id;
  container.created = attempt.hub->WallNow();
  std::string& row = record.row.head;
  row = "{\"Id\":";
  AppendJsonString(row, id);
  row.append(",\"Names\":[");
  AppendJsonString(row, "/" + container.names.front());
  row.append("],\"Image\":");
  AppendJsonString(row, container.image);
  row.append(",\"ImageID\":\"\",\"Command\":\"\",\"Created\":");
  const auto created =
      std::chrono::duration_cast<std::chrono::seconds>(container.created.time_since_epoch());
  row.append(std::to_string(created.count()));
  row.append(",\"Ports\":[],\"Labels\":{");
  for (const auto& [key, value] : container.labels) {
    if (row.back() != '{') row.push_back(',');
    AppendJsonString(row, key);
    row.push_back(':');
    AppendJsonString(row, value);
  }
  row.append("},\"State\":\"created\",\"Status\":");
  record.row.tail =
      ",\"HostConfig\":{\"NetworkMode\":\"default\"},\"NetworkSettings\":{\"Networks\":{}},"
      "\"Mounts\":[]}";
  return record;
}

CreateResult Answered(const Attempt& attempt, Reply reply, ContainerRecord record) {
  const std::string& id = record.container.id;
  CreateResult result;
  result.reply = std::move(reply);
  attempt.hub->LogClashes();
  result.entry =
      attempt.hub->state.With([&id](const ClusterState& now) { return now.FindById(id); });
  // A clash: another node had a container of this id first.
  if (result.entry && result.entry->container.node != attempt.engine->address()) result.entry = {};
  if (!result.entry) {
    auto entry = std::make_shared<ContainerEntry>();
    entry->container = std::move(record.container);
    entry->container.node = attempt.engine->address();
    entry->row = std::move(record.row);
    entry->node = std::make_shared<const Node>(NodeNow(*attempt.engine));
    result.entry = std::move(entry);
  }
  return result;
}

// The container is there: turns the held place into what is known of it, and has it read later.
CreateResult AdoptUnread(const Attempt& attempt, const std::string& id, Reply reply) {
  SharedState& state = attempt.hub->state;
  const Member member = attempt.place.member;
  ContainerRecord record = PlainRecord(attempt, id);
  attempt.change->BeginReading(true);
  const std::uint64_t read = state.BeginRead(member);
  state.Settle(attempt.place.reservation.ticket, member, read, record);
  state.EndRead(member, read);
  attempt.hub->put_off.Add(attempt.engine, id);
  attempt.change->EndReading(true);
  return Answered(attempt, std::move(reply), std::move(record));
}

// The container is there: reads it, and turns the held place into it.
Task<CreateResult> Adopt(Attempt attempt, std::string id, Reply reply) {
  SharedState& state = attempt.hub->state;
  const Member member = attempt.place.member;
  attempt.change->BeginReading(true);
  const std::uint64_t read = state.BeginRead(member);
  absl::StatusOr<Fetched> fetched =
      co_await FetchContainer(attempt.engine, id, false, attempt.engine->health_token());
  ContainerRecord record = PlainRecord(attempt, id);
  const bool is_gone = fetched.ok() && !fetched->record.has_value();
  if (fetched.ok() && !is_gone) {
    if (!fetched->unread.ok()) KeepUnlisted(record.container, fetched->record->container);
    record = std::move(*fetched->record);
  }
  // Gone already, by somebody else: then nothing is published, the caller still learns what was
  // made.
  if (is_gone) {
    state.GiveBack(attempt.place.reservation.ticket);
  } else {
    state.Settle(attempt.place.reservation.ticket, member, read, record);
  }
  if (!fetched.ok()) {
    attempt.hub->put_off.Add(attempt.engine, id);
  } else if (!fetched->unread.ok()) {
    MarkUnread(attempt.engine, id, fetched->unread);
  }
  state.EndRead(member, read);
  attempt.change->EndReading(fetched.ok());
  co_return Answered(attempt, std::move(reply), std::move(record));
}

absl::Status Unknown(const std::string& name, const std::string& node, const absl::Status& why) {
  const auto margin = std::chrono::duration_cast<std::chrono::seconds>(kDoubtMargin);
  return DeadlineExceeded("the create of container " + name + " on node " + node +
                          " was not answered (" + std::string(MessageOf(why)) +
                          "); whether the node makes the container is not known yet. Its name, "
                          "ports and resources stay "
                          "reserved until the node shows it, or " +
                          std::to_string(margin.count()) +
                          " s from now or later is seen without it. Look with \"docker "
                          "ps -a --filter name=" +
                          name + "\" before creating it again");
}

// No whole answer came. Looks whether the engine has made the container. If not it may still do so:
// the place stays held and the create is not tried again.
Task<absl::StatusOr<CreateResult>> FindLost(Attempt attempt, absl::Status why) {
  const std::string name = attempt.place.reservation.name;
  const TimePoint until = attempt.engine->home()->clock().Now() + kDoubtMargin;
  attempt.keeper->in_doubt = true;
  attempt.hub->state.Doubt(attempt.place.reservation.ticket, until);
  absl::StatusOr<std::string> id = absl::StatusOr<std::string>(why);
  // An engine that is known to be ill is not asked: its next whole reading tells.
  for (int time = 0; time < kLookUps && attempt.engine->healthy(); ++time) {
    if (time > 0) co_await SleepFor(kLookUpPause);
    id = co_await FetchCreated(attempt.engine, attempt.request->spec.swarm_id, name,
                               attempt.engine->health_token());
    if (id.ok() && !id->empty()) break;
  }
  if (!id.ok() || id->empty()) {
    Log(attempt.hub->options.log, LogLevel::kWarning, "nobody knows whether a container was made",
        {{"node", attempt.engine->Label()},
         {"container", name},
         {"reason", std::string(MessageOf(why))}});
    co_return Unknown(name, attempt.engine->Label(), why);
  }
  Reply reply;
  reply.status = 201;
  SetHeader(reply.headers, "Content-Type", "application/json");
  reply.body = "{\"Id\":\"" + *id + "\",\"Warnings\":[]}\n";
  std::string found = *std::move(id);
  CreateResult result = co_await Adopt(std::move(attempt), std::move(found), std::move(reply));
  co_return result;
}

// The image is not on the node, as far as is known, but on another that may be taken.
bool AnotherNodeHasImage(const Hub& hub, const ContainerSpec& spec, const std::string& not_this) {
  if (spec.image.empty()) return false;
  if (std::any_of(spec.constraints.begin(), spec.constraints.end(), IsNodeConstraint)) return false;
  return hub.state.With([&](const ClusterState& state) {
    bool elsewhere = false;
    for (const auto& entry : state.Images()) {
      if (!ImageMatches(entry->image, spec.image)) continue;
      if (entry->node == not_this) return false;
      const NodePointer node = state.FindNode(entry->node);
      elsewhere = elsewhere || (node && node->state == NodeState::kHealthy);
    }
    return elsewhere;
  });
}

Expression OnlyWithImage(const std::string& image) {
  Expression expression;
  expression.key = "image";
  expression.value = WithDefaultTag(image);
  expression.text = "image==" + expression.value;
  return expression;
}

// Only by its name: what a registry has under an id's digits is another image. A node that has it,
// for another platform, is left as it is.
bool MayBePulled(const Hub& hub, const CreateRequest& request, const std::string& address) {
  const std::string& wanted = request.spec.image;
  if (!request.pull || wanted.empty() || wanted.starts_with("sha256:")) return false;
  const std::string tagged = WithDefaultTag(wanted);
  return hub.state.With([&](const ClusterState& state) {
    bool matches = false, named = false;
    for (const auto& entry : state.Images()) {
      if (!ImageMatches(entry->image, wanted)) continue;
      if (entry->node == address) return false;
      const std::vector<std::string>& tags = entry->image.repo_tags;
      const std::vector<std::string>& digests = entry->image.repo_digests;
      matches = true;
      named = named || std::find(tags.begin(), tags.end(), tagged) != tags.end() ||
              std::find(digests.begin(), digests.end(), wanted) != digests.end();
    }
    return matches ? named : request.pull_unknown;
  });
}

// A PrepareNode or a PullOnNode.
Task<absl::Status> OnNode(std::function<void(std::string, Callback<absl::Status>)> work,
                          std::string address) {
  auto start = [work = std::move(work), address = std::move(address)](Callback<absl::Status> done) {
    work(address, std::move(done));
  };
  return AwaitCallback<absl::Status>(std::move(start));
}

// Still a 404 that speaks of the image: clients may have credentials for a pull of their own.
CreateResult NotPulled(const Attempt& attempt, const absl::Status& why) {
  std::string message = "No such image: " + WithDefaultTag(attempt.request->spec.image) +
                        " (node " + attempt.engine->Label() +
                        " does not have it, and its pull failed: ";
  message.append(MessageOf(why)).append(")");
  CreateResult result;
  result.reply.status = 404;
  SetHeader(result.reply.headers, "Content-Type", "application/json");
  result.reply.body = "{\"message\":";
  AppendJsonString(result.reply.body, message);
  result.reply.body += "}\n";
  return result;
}

// The answer of an engine that made nothing.
bool IsRefusal(const absl::StatusOr<CreateResult>& result) {
  return result.ok() && result->entry == nullptr;
}

bool MissesImage(const absl::StatusOr<CreateResult>& result) {
  return IsRefusal(result) && result->reply.status == 404 &&
         SaysImageIsMissing(EngineMessage(result->reply.body));
}

// By the contract of BackendClient: then nothing was made for certain.
bool WasNotSent(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
}

// An answer of the engine, or an error. After a refusal the place is still held.
Task<absl::StatusOr<CreateResult>> Try(Attempt attempt) {
  if (attempt.request->prepare && !attempt.prepared) {
    const std::string address = attempt.engine->address();
    absl::Status ready = co_await OnNode(attempt.request->prepare, address);
    if (!ready.ok()) {
      attempt.hub->state.GiveBack(attempt.place.reservation.ticket);
      co_return ready;
    }
  }
  std::string key = UnderWay::KeyOfName(attempt.place.reservation.name);
  attempt.change =
      std::make_shared<UnderWay::Change>(attempt.engine->under_way(), std::move(key), "create");
  Request message = CreateMessage(attempt);
  CallOptions options;
  options.timeout = kCreateTimeout;
  const std::shared_ptr<BackendClient> guard = attempt.engine->guard();
  absl::StatusOr<Reply> reply = co_await Call(*guard, std::move(message), std::move(options));
  SharedState& state = attempt.hub->state;
  const std::uint64_t ticket = attempt.place.reservation.ticket;
  if (!reply.ok() && WasNotSent(reply.status())) {
    state.GiveBack(ticket);
    const std::string what = "the create on node " + attempt.engine->Label();
    co_return Annotate(Unavailable(MessageOf(reply.status())), what);
  }
  if (!reply.ok()) co_return co_await FindLost(std::move(attempt), reply.status());
  if (reply->status != 201) {
    CreateResult refused;
    refused.reply = *std::move(reply);
    co_return refused;
  }
  absl::StatusOr<std::string> id = CreatedId(reply->body);
  if (!id.ok()) co_return co_await FindLost(std::move(attempt), id.status());
  std::string made = *std::move(id);
  Reply answer = *std::move(reply);
  if (attempt.request->may_be_read_later) co_return AdoptUnread(attempt, made, std::move(answer));
  CreateResult result = co_await Adopt(std::move(attempt), std::move(made), std::move(answer));
  co_return result;
}

// Worth another try: nothing was made for certain, and the next one may go better. A lost answer is
// DeadlineExceeded.
bool MayTryAgain(const absl::StatusOr<CreateResult>& result) {
  if (result.ok()) return IsRefusal(result) && result->reply.status >= 500;
  return absl::IsUnavailable(result.status());
}

// Pulls what the attempt's node lacks, and asks it again. The place is held all the while, so that
// nobody takes the name meanwhile.
Task<absl::StatusOr<CreateResult>> PullAndTry(Attempt attempt) {
  const std::string address = attempt.engine->address();
  Log(attempt.hub->options.log, LogLevel::kInfo, "a create waits for its image to be pulled",
      {{"node", attempt.engine->Label()}, {"image", attempt.request->spec.image}});
  const absl::Status pulled = co_await OnNode(attempt.request->pull, address);
  if (absl::IsCancelled(pulled)) {
    attempt.hub->state.GiveBack(attempt.place.reservation.ticket);
    co_return pulled;
  }
  if (!pulled.ok()) co_return NotPulled(attempt, pulled);
  attempt.prepared = true;
  co_return co_await Try(std::move(attempt));
}

}  // namespace

Task<absl::StatusOr<CreateResult>> Create(std::shared_ptr<Hub> hub, CreateRequest request) {
  ContainerSpec spec = request.spec;
  absl::StatusOr<CreateResult> last = Internal("no node was tried");
  bool follows_image = false;  // now
  bool may_follow = true, may_pull = true;
  int retries = hub->options.create_retry;
  for (;;) {
    absl::StatusOr<HeldPlace> place = co_await PlaceAside(hub, spec);
    if (!place.ok()) {
      if (!follows_image) co_return place.status();
      // Nowhere else: then what the first node said stands, unless the image can come to it.
      if (!may_pull || !MayBePulled(*hub, request, "")) co_return last;
      spec.affinities.pop_back();
      follows_image = false;
      continue;
    }
    Attempt attempt;
    attempt.hub = hub;
    attempt.place = *std::move(place);
    const std::uint64_t ticket = attempt.place.reservation.ticket;
    attempt.keeper = std::make_shared<PlaceKeeper>(hub, ticket);
    attempt.request = &request;
    TakeSwarmId(request, attempt.place.reservation.swarm_id);
    const std::string address = attempt.place.reservation.placement.node;
    attempt.engine = hub->membership.Find(address);
    if (!attempt.engine) {
      hub->state.GiveBack(ticket);
      co_return Unavailable("the node " + address + " has just left the cluster: try again");
    }
    last = co_await Try(attempt);
    if (MissesImage(last)) {
      if (may_follow && AnotherNodeHasImage(*hub, request.spec, address)) {
        hub->state.GiveBack(ticket);
        may_follow = false;
        follows_image = true;
        spec.affinities.push_back(OnlyWithImage(request.spec.image));
        continue;
      }
      if (may_pull && MayBePulled(*hub, request, address)) {
        may_pull = false;
        last = co_await PullAndTry(std::move(attempt));
      }
    }
    if (IsRefusal(last)) hub->state.GiveBack(ticket);
    if (retries-- <= 0 || !MayTryAgain(last)) co_return last;
  }
}

}  // namespace swarm
