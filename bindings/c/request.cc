#include "bindings/c/request.h"

#include <utility>

#include "bindings/c/structs.h"
#include "bindings/c/utf8.h"
#include "swarmlib/status.h"

namespace swarm::c {
namespace {

constexpr swarm_request kDefaultRequest = SWARM_REQUEST_INIT;
static_assert(kDefaultRequest.most_reply == kMostReply);
static_assert(offsetof(swarm_request, most_reply) + sizeof kDefaultRequest.most_reply ==
              sizeof(swarm_request));

absl::Status ReadHeaders(const swarm_request& given, Headers& headers) {
  if (given.headers == nullptr && given.header_count > 0)
    return InvalidArgument("request.headers is NULL, but its count is not 0");
  for (std::size_t i = 0; i < given.header_count; ++i) {
    const swarm_field& field = given.headers[i];
    const std::string name = "request.headers[" + std::to_string(i) + "]";
    if (field.name == nullptr || field.value == nullptr || *field.name == '\0')
      return InvalidArgument(name + " has no name or no value");
    headers.emplace_back(field.name, field.value);
  }
  return absl::OkStatus();
}

// `widened` is the struct of this library, for what is no part of Request.
absl::StatusOr<Request> ReadRequest(const swarm_request* given, swarm_request& widened) {
  widened = kDefaultRequest;
  if (absl::Status read = Widen(given, widened, "swarm_request"); !read.ok()) return read;
  Request request;
  request.method = widened.method == nullptr ? kDefaultRequest.method : widened.method;
  if (widened.most_reply == 0) widened.most_reply = kMostReply;
  request.target = OrEmpty(widened.target);
  if (request.target.empty())
    return InvalidArgument("request.target is missing; a path such as /containers/json is wanted");
  if (absl::Status read = ReadHeaders(widened, request.headers); !read.ok()) return read;
  if (widened.body == nullptr && widened.body_length > 0)
    return InvalidArgument("request.body is NULL, but its length is not 0");
  if (widened.body_length > 0)
    request.body.assign(static_cast<const char*>(widened.body), widened.body_length);
  if (widened.upgrade != 0 && FindHeader(request.headers, "Upgrade") == nullptr)
    SetHeader(request.headers, "Upgrade", "tcp");
  if (widened.upgrade != 0) SetHeader(request.headers, "Connection", "Upgrade");
  if (widened.streamed != 0 && widened.streamed_length > 0)
    request.body_length = static_cast<std::uint64_t>(widened.streamed_length);
  return request;
}

}  // namespace

absl::StatusOr<Reply> Ask(const swarm_manager* manager, const char* method, std::string target,
                          std::string body, std::int64_t timeout_ms) {
  Request request;
  request.method = method;
  request.target = std::move(target);
  if (!body.empty()) SetHeader(request.headers, "Content-Type", "application/json");
  request.body = std::move(body);
  CallOptions options;
  options.timeout = ToDuration(timeout_ms);
  options.max_body = *manager->most_reply;
  absl::StatusOr<Reply> reply = manager->manager->Call(std::move(request), std::move(options));
  if (reply.ok() && reply->status >= 400)
    return StatusOfReply(reply->status, reply->headers, reply->body);
  return reply;
}

}  // namespace swarm::c

using namespace swarm::c;

swarm_code swarm_request_init(swarm_request* request, size_t struct_size, swarm_error** error) {
  return Guard("swarm_request_init", error, [&]() -> absl::Status {
    if (absl::Status wanted = Wanted(request, "request"); !wanted.ok()) return wanted;
    return Begin(kDefaultRequest, struct_size, request);
  });
}

swarm_code swarm_manager_set_most_reply(swarm_manager* manager, uint64_t bytes,
                                        swarm_error** error) {
  return Guard("swarm_manager_set_most_reply", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    *manager->most_reply = bytes == 0 ? kMostReply : bytes;
    return absl::OkStatus();
  });
}

swarm_code swarm_manager_call(swarm_manager* manager, const swarm_request* request,
                              int64_t timeout_ms, swarm_reply** reply, swarm_error** error) {
  if (reply != nullptr) *reply = nullptr;
  return GuardWait("swarm_manager_call", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(reply, "reply"); !wanted.ok()) return wanted;
    swarm_request widened;
    absl::StatusOr<swarm::Request> read = ReadRequest(request, widened);
    if (!read.ok()) return read.status();
    if (widened.streamed != 0)
      return swarm::InvalidArgument("request.streamed is for swarm_manager_begin");
    swarm::CallOptions options;
    options.timeout = ToDuration(timeout_ms);
    options.max_body = widened.most_reply;
    absl::StatusOr<swarm::Reply> answer =
        manager->manager->Call(*std::move(read), std::move(options));
    if (!answer.ok()) return answer.status();
    answer->headers = ToUtf8(std::move(answer->headers));
    *reply = New(swarm_reply{*std::move(answer)});
    return absl::OkStatus();
  });
}

int swarm_reply_status(const swarm_reply* reply) {
  return IsLive(reply, "swarm_reply_status") ? reply->reply.status : 0;
}
const char* swarm_reply_header(const swarm_reply* reply, const char* name) {
  if (!IsLive(reply, "swarm_reply_header") || name == nullptr) return nullptr;
  const std::string* const value = swarm::FindHeader(reply->reply.headers, name);
  return value == nullptr ? nullptr : value->c_str();
}
size_t swarm_reply_header_count(const swarm_reply* reply) {
  return IsLive(reply, "swarm_reply_header_count") ? reply->reply.headers.size() : 0;
}
swarm_field swarm_reply_header_at(const swarm_reply* reply, size_t index) {
  if (!IsLive(reply, "swarm_reply_header_at") || index >= reply->reply.headers.size())
    return {nullptr, nullptr};
  const auto& [name, value] = reply->reply.headers[index];
  return {name.c_str(), value.c_str()};
}
const char* swarm_reply_body(const swarm_reply* reply, size_t* length) {
  const bool is_live = IsLive(reply, "swarm_reply_body");
  if (length != nullptr) *length = is_live ? reply->reply.body.size() : 0;
  return is_live ? reply->reply.body.c_str() : "";
}
void swarm_reply_free(swarm_reply* reply) { Free(reply, "swarm_reply_free"); }

swarm_code swarm_manager_begin(swarm_manager* manager, const swarm_request* request,
                               swarm_exchange** exchange, swarm_error** error) {
  if (exchange != nullptr) *exchange = nullptr;
  return GuardWait("swarm_manager_begin", error, [&]() -> absl::Status {
    if (absl::Status usable = Usable(manager); !usable.ok()) return usable;
    if (absl::Status wanted = Wanted(exchange, "exchange"); !wanted.ok()) return wanted;
    swarm_request widened;
    absl::StatusOr<swarm::Request> read = ReadRequest(request, widened);
    if (!read.ok()) return read.status();
    auto begun = manager->manager->Begin(*std::move(read), widened.streamed != 0);
    *exchange = New(swarm_exchange{std::move(begun), manager->process});
    return absl::OkStatus();
  });
}
