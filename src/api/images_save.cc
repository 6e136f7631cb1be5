// What one node does with images it holds: save, push, commit.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "api/each_node.h"
#include "api/handlers.h"
#include "api/image_holders.h"
#include "api/reply.h"
#include "api/upstream.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/images.h"
#include "wire/progress.h"

namespace swarm {
namespace {

constexpr std::size_t kMostNames = 1'000;  // of one save

// For each name what the cluster has of it; NotFound names all that nobody has.
absl::StatusOr<std::vector<FoundImage>> FindAll(const Context& context,
                                                const std::vector<std::string>& names) {
  std::vector<FoundImage> all;
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    absl::StatusOr<FoundImage> found = FindImage(context, name);
    if (absl::IsNotFound(found.status())) {
      unknown.push_back(WithDefaultTag(name));
    } else if (!found.ok()) {
      return found.status();
    } else {
      all.push_back(*std::move(found));
    }
  }
  if (!unknown.empty()) return NotFound("No such image: " + Join(unknown, ", "));
  return all;
}

// The node that holds all of them, and the newest of most; the first by name among equals. Null
// when none holds all.
NodePointer HolderOfAll(const std::vector<FoundImage>& all) {
  struct Held {
    NodePointer node;
    std::size_t names = 0, newest = 0;
  };
  std::map<std::string, Held> nodes;  // by address
  for (const FoundImage& found : all) {
    const std::string newest = NewestId(found);
    std::set<std::string> seen;
    for (const ImageCopy& copy : found.copies) {
      Held& held = nodes[copy.node->address];
      held.node = copy.node;
      held.newest += copy.id == newest ? 1 : 0;
      held.names += seen.insert(copy.node->address).second ? 1 : 0;
    }
  }
  const Held* best = nullptr;
  for (const auto& [address, held] : nodes) {
    if (held.names < all.size()) continue;
    if (best == nullptr || held.newest > best->newest ||
        (held.newest == best->newest && held.node->name < best->node->name)) {
      best = &held;
    }
  }
  return best == nullptr ? nullptr : best->node;
}

absl::Status NoHolderOfAll(const std::vector<FoundImage>& all) {
  std::vector<std::string> names, places;
  for (const FoundImage& found : all) {
    names.push_back(found.reference);
    places.push_back(found.reference + " is on " + DescribeCopies(found.copies));
  }
  return NotFound("No such image: no node holds all of " + Join(names, ", ") + " (" +
                  Join(places, "; ") +
                  "). Save them one by one, or pull or load what is missing first");
}

// What a push names: "REPOSITORY:TAG" of one tag, or of all that the cluster has.
std::vector<std::string> PushedNames(const Context& context, const ApiExchange& exchange) {
  const std::string* tag = FindQuery(exchange.query, "tag");
  if (tag != nullptr && !tag->empty()) return {exchange.name + ":" + *tag};
  std::set<std::string> names;
  for (const std::shared_ptr<const ImageEntry>& entry : context.cluster().Images()) {
    for (const std::string& known : entry->image.repo_tags) {
      if (known.starts_with(exchange.name + ":") &&
          known.find('/', exchange.name.size()) == std::string::npos) {
        names.insert(known);
      }
    }
  }
  if (names.empty()) names.insert(exchange.name);
  return {names.begin(), names.end()};
}

// A registry takes one image under one name: which of several is not for us to choose.
absl::Status CheckCopiesAgree(const std::vector<FoundImage>& all) {
  for (const FoundImage& found : all) {
    for (const ImageCopy& copy : found.copies) {
      if (copy.id == found.copies.front().id) continue;
      return HttpError(409, "the nodes have different images called " + found.reference + ": " +
                                DescribeCopies(found.copies) +
                                ". Remove or tag anew the ones that are not meant, or push one "
                                "as NODE/" +
                                found.reference);
    }
  }
  return absl::OkStatus();
}

Task<Result> SaveNames(ContextPointer context, ApiExchange exchange,
                       std::vector<std::string> names) {
  const absl::StatusOr<std::vector<FoundImage>> all = FindAll(*context, names);
  if (!all.ok()) co_return all.status();
  EngineCall call;
  call.node = HolderOfAll(*all);
  if (!call.node) co_return NoHolderOfAll(*all);
  call.way = EngineCall::Way::kStream;
  call.timeout = kLongCall;
  std::erase_if(exchange.query, [](const auto& field) { return field.first == "names"; });
  if (all->size() == 1) {
    call.path = "/images/" + PercentEncode(all->front().reference) + "/get";
  } else {
    call.path = "/images/get";
    for (const FoundImage& found : *all) exchange.query.emplace_back("names", found.reference);
  }
  Result answer = co_await CallEngine(std::move(context), std::move(exchange), std::move(call));
  co_return answer;
}

}  // namespace

Task<Result> SaveImage(ContextPointer context, ApiExchange exchange) {
  std::vector<std::string> names = {exchange.name};
  return SaveNames(std::move(context), std::move(exchange), std::move(names));
}

Task<Result> SaveImages(ContextPointer context, ApiExchange exchange) {
  std::vector<std::string> names;
  for (const auto& [key, value] : exchange.query) {
    if (key == "names" && std::find(names.begin(), names.end(), value) == names.end())
      names.push_back(value);
  }
  if (names.empty()) co_return InvalidArgument("no image is named: give names=IMAGE");
  if (names.size() > kMostNames) {
    co_return InvalidArgument("more than " + std::to_string(kMostNames) + " images are named");
  }
  Result answer = co_await SaveNames(std::move(context), std::move(exchange), std::move(names));
  co_return answer;
}

Task<Result> PushImage(ContextPointer context, ApiExchange exchange) {
  const std::vector<std::string> names = PushedNames(*context, exchange);
  const absl::StatusOr<std::vector<FoundImage>> all = FindAll(*context, names);
  if (absl::IsNotFound(all.status())) {
    co_return NotFound("An image does not exist locally with the tag: " + exchange.name);
  }
  if (!all.ok()) co_return all.status();
  const absl::Status agreed = CheckCopiesAgree(*all);
  if (!agreed.ok()) co_return agreed;
  EngineCall call;
  call.node = HolderOfAll(*all);
  if (!call.node) co_return NoHolderOfAll(*all);
  // "n1/app" pushes what n1 has as "app".
  const std::string prefix = call.node->name + "/";
  const bool of_node = all->front().only != nullptr && exchange.name.starts_with(prefix);
  const std::string repository = of_node ? exchange.name.substr(prefix.size()) : exchange.name;
  if (!IsImageReference(repository)) co_return InvalidArgument("invalid reference format");
  call.path = "/images/" + PercentEncode(repository) + "/push";
  call.way = EngineCall::Way::kStream;
  call.timeout = kLongCall;
  call.registry = true;
  const std::string node = call.node->name;
  Result answer = co_await CallEngine(std::move(context), std::move(exchange), std::move(call));
  if (!answer.ok() || answer->status != 200) co_return answer;
  // Which node pushes is told before the engine's own lines.
  answer->body.insert(0, ProgressLine("", "Pushing from node " + node));
  answer->body_length.reset();
  co_return answer;
}

Task<Result> CommitContainer(ContextPointer context, ApiExchange exchange) {
  const std::string* reference = FindQuery(exchange.query, "container");
  if (reference == nullptr || reference->empty())
    co_return InvalidArgument("no container is named: give container=NAME");
  const absl::StatusOr<ContainerPointer> entry = FindContainer(*context, *reference);
  if (!entry.ok()) co_return entry.status();
  absl::StatusOr<std::string> body =
      co_await JsonBody(exchange.memory, exchange.request.headers, std::move(exchange.request.body),
                        std::move(exchange.request.body_stream), exchange.request.body_length);
  if (!body.ok()) co_return body.status();
  exchange.request.body = *std::move(body);
  exchange.request.body_length.reset();
  for (auto& [key, value] : exchange.query) {
    if (key == "container") value = (*entry)->container.id;
  }
  EngineCall call;
  call.node = (*entry)->node;
  call.path = "/commit";
  call.pass_body = true;
  call.timeout = kLongCall;
  const std::string address = call.node->address;
  Result answer = co_await CallEngine(context, std::move(exchange), std::move(call));
  if (!answer.ok() || answer->status >= 300) co_return answer;
  const absl::Status reread = co_await RereadImages(std::move(context), address);
  (void)reread;  // the node's events have them read again too
  co_return answer;
}

}  // namespace swarm
