#include "manager/complete_request.h"

#include <array>
#include <string>
#include <string_view>

#include "net/http_scan.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

constexpr std::array<std::string_view, 10> kOfTheConnection = {
    "Connection", "Content-Length",    "Expect", "Host", "Keep-Alive", "Proxy-Connection", "TE",
    "Trailer",    "Transfer-Encoding", "Upgrade"};

bool Consists(std::string_view text, net::ByteClass of) {
  const char* const end = text.data() + text.size();
  return net::SkipClass(text.data(), end, of) == end;
}

}  // namespace

absl::Status CompleteRequest(Request& request) {
  if (request.method.empty() || !Consists(request.method, net::kTokenByte))
    return InvalidArgument("\"" + request.method + "\" is not a method of HTTP");
  if (!request.target.starts_with("/") || !Consists(request.target, net::kTargetByte)) {
    return InvalidArgument("\"" + request.target +
                           "\" is not a target: it begins with / and holds visible ASCII only, "
                           "anything else percent-encoded");
  }
  for (const auto& field : request.headers) {
    if (field.first.empty() || !Consists(field.first, net::kTokenByte))
      return InvalidArgument("\"" + field.first + "\" is not the name of a header field");
    if (!Consists(field.second, net::kFieldValueByte)) {
      return InvalidArgument("the value of the header field " + field.first +
                             " holds a byte that none may hold");  // never shown: may be a secret
    }
  }
  const std::string* const wanted = FindHeader(request.headers, "Upgrade");
  const std::string protocol = wanted != nullptr ? *wanted : "";
  for (const std::string_view name : kOfTheConnection) RemoveHeader(request.headers, name);
  request.wants_upgrade = !protocol.empty();
  if (request.wants_upgrade) request.headers.emplace_back("Upgrade", protocol);
  request.peer = {};
  request.peer.address = "in-process";
  request.body_stream = nullptr;
  return absl::OkStatus();
}

}  // namespace swarm
