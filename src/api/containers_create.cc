#include <utility>

#include "api/attachments.h"
#include "api/each_node.h"
#include "api/handlers.h"
#include "api/image_holders.h"
#include "api/pull_on_node.h"
#include "api/readings.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "async/await.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/conflicts.h"
#include "wire/create.h"
#include "wire/errors.h"

namespace swarm {
namespace {

Task<Result> Reread(ContextPointer context, std::string node) {
  const absl::Status reread = co_await RereadImages(context, node);
  if (!reread.ok()) co_return reread;
  co_return Reply();
}

Task<absl::StatusOr<CreateResult>> Create(ContextPointer context, CreateRequest request) {
  auto start = [context, request = std::move(request)](ResultCallback<CreateResult> done) mutable {
    context->cluster().CreateContainer(std::move(request), std::move(done));
  };
  return AwaitCallback<absl::StatusOr<CreateResult>>(std::move(start));
}

// What was built over /grpc ends in an image that no answer tells of. A create that names it may
// come before the node's events.
Task<void> LookForBuilt(ContextPointer context, std::string image) {
  const std::vector<std::string> nodes = context->build_sessions()->FreshNodes();
  if (nodes.empty() || !absl::IsNotFound(FindImage(*context, image).status())) co_return;
  AskNumber ask = [context, nodes](std::size_t at) { return Reread(context, nodes[at]); };
  const std::vector<Result> answers = co_await AskNumbers(nodes.size(), std::move(ask));
  (void)answers;  // an engine that cannot tell has no part in it
}

// Clients take a 404 on create for a missing image, pull it and try again; so nothing else may say
// 404.
absl::Status WithoutNotFound(const absl::Status& error) {
  if (HttpStatusOf(error) != 404) return error;
  return HttpError(409, MessageOf(error));
}

// The code of `error` goes along: filters of the embedding program may give any, and HTTP has one
// status for a name that is taken and for other conflicts.
Reply CreateRefusal(const absl::Status& error, ApiVersion client) {
  Reply reply = ErrorReply(WithoutNotFound(error), client);
  MarkCode(reply, error.code());
  return reply;
}

void Count(Context& context, std::string_view outcome) {
  context.metrics()
      .counter("swarmd_placements_total", "Containers asked for, by outcome.",
               {{"outcome", std::string(outcome)}})
      .Add();
}

std::string QueryValue(const Query& query, std::string_view key) {
  const std::string* value = FindQuery(query, key);
  return value == nullptr ? std::string() : *value;
}

}  // namespace

Task<Result> CreateContainer(ContextPointer context, ApiExchange exchange) {
  absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  std::string name = QueryValue(exchange.query, "name");
  if (name.starts_with('/')) name.erase(0, 1);
  absl::StatusOr<ParsedCreate> parsed =
      ParseCreate(*body, name, QueryValue(exchange.query, "platform"), context->NewSwarmId(),
                  context->options().rules);
  if (!parsed.ok()) co_return parsed.status();

  ParsedCreate* const wanted = &*parsed;
  const std::string image = wanted->spec.image;
  co_await LookForBuilt(context, image);
  const absl::StatusOr<std::shared_ptr<Attachments>> found =
      co_await FindAttachments(context, wanted);
  if (!found.ok()) {
    Count(*context, "refused");
    co_return WithoutNotFound(found.status());
  }
  const std::shared_ptr<Attachments> attachments = *found;
  CreateRequest request;
  request.spec = std::move(parsed->spec);
  request.body = std::move(parsed->body);
  Query further = exchange.query;
  std::erase_if(further, [](const auto& pair) { return pair.first == "name"; });
  request.query = FormatQuery(further);
  OfferPull(context, exchange, request);
  request.api_version = ApiVersionText(exchange.version);
  // Of others their images' labels count, too.
  if (!request.spec.affinities.empty()) co_await AwaitReadings(context);
  // What it is attached to decides where others go; so do the ports that its image exposes, when it
  // has the node's network. A rule of relayed ports may ask for a label of its image.
  request.may_be_read_later = attachments == nullptr && !parsed->names_of_node &&
                              !request.spec.host_network && context->options().relayed == nullptr;
  if (attachments) Apply(attachments, request);
  absl::StatusOr<CreateResult> created = co_await Create(context, std::move(request));
  if (created.ok() && created->entry) {
    for (const std::string& used : created->entry->container.volumes)
      context->fresh_volumes().Forget(used);
  }
  if (attachments) {
    // Of a create whose answer was lost nobody knows: its volumes stay.
    const bool made =
        created.ok() ? created->reply.status < 400 : absl::IsDeadlineExceeded(created.status());
    co_await Release(attachments, made);
  }
  if (!created.ok()) {
    Count(*context, "refused");
    co_return CreateRefusal(created.status(), exchange.version);
  }
  Reply reply = std::move(created->reply);
  if (reply.status < 400) {
    Count(*context, "placed");
    co_return reply;
  }
  Count(*context, "failed");
  const std::string message = EngineMessage(reply.body);
  if (reply.status == 404 && !SaysImageIsMissing(message)) co_return HttpError(409, message);
  const absl::Status refused = HttpError(reply.status, message);
  if (reply.status == 409 && SaysNameIsTaken(message))
    co_return CreateRefusal(AlreadyExists(message), exchange.version);
  co_return refused;
}

}  // namespace swarm
