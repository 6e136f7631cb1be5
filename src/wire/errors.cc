#include "wire/errors.h"

#include "base/json_text.h"
#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

constexpr ApiVersion kFirstWithJsonErrors{1, 24};

bool HasMessage(std::string_view body) {
  JsonDocument document;
  return document.Parse(body).ok() &&
         document.root().Find("message").is(JsonDocument::Kind::kString);
}

// A scheduler's refusal carries no HTTP status of its own; an engine's conflict does.
bool IsNoNodeFits(const absl::Status& error) {
  return error.code() == absl::StatusCode::kFailedPrecondition &&
         !error.GetPayload("swarm/http-status").has_value();
}

}  // namespace

std::string EngineMessage(std::string_view body) {
  JsonDocument document;
  if (document.Parse(body).ok()) {
    const JsonValue message = document.root().Find("message");
    if (message.is(JsonDocument::Kind::kString)) return message.text();
  }
  return std::string(Trim(body));
}

bool SaysImageIsMissing(std::string_view message) {
  const std::string lower = ToLower(message);
  const auto says = [&lower](std::string_view words) {
    return lower.find(words) != std::string::npos;
  };
  return says("no such image") || (says("image") && says("not found")) ||
         (says("image") && says("does not match the specified platform"));
}

Reply ErrorReply(const absl::Status& error, ApiVersion client) {
  Reply reply;
  reply.status = HttpStatusOf(error);
  const std::string engine_body = EngineBodyOf(error);
  if (client >= kFirstWithJsonErrors) {
    SetHeader(reply.headers, "Content-Type", "application/json");
    if (!engine_body.empty() && HasMessage(engine_body)) {
      reply.body = engine_body;
      return reply;
    }
    reply.body = "{\"message\":";
    AppendJsonString(reply.body, engine_body.empty() ? MessageOf(error) : Trim(engine_body));
    reply.body.append("}\n");
    return reply;
  }
  if (IsNoNodeFits(error)) reply.status = 500;
  SetHeader(reply.headers, "Content-Type", "text/plain; charset=utf-8");
  reply.body = engine_body.empty() ? std::string(MessageOf(error)) : EngineMessage(engine_body);
  reply.body.push_back('\n');
  return reply;
}

}  // namespace swarm
