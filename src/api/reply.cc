#include "api/reply.h"

#include <utility>

#include "base/text.h"
#include "swarmlib/version.h"

namespace swarm {

Reply JsonReply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "application/json");
  reply.body = std::move(body);
  return reply;
}

Reply TextReply(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  reply.body = std::move(body);
  return reply;
}

Reply EmptyReply(int status) {
  Reply reply;
  reply.status = status;
  return reply;
}

Headers CommonHeaders(Context& context) {
  const Offer offer = context.offer().Now();
  Headers headers;
  headers.emplace_back("Api-Version", ApiVersionText(offer.newest));
  headers.emplace_back("Docker-Experimental", "false");
  headers.emplace_back("Ostype", offer.os);
  headers.emplace_back("Server", "swarmd/" + context.options().version + " (linux)");
  if (context.options().cors) {
    headers.emplace_back("Access-Control-Allow-Origin", "*");
    headers.emplace_back("Access-Control-Allow-Headers",
                         "Origin, X-Requested-With, Content-Type, Accept, X-Registry-Auth");
    headers.emplace_back("Access-Control-Allow-Methods", "HEAD, GET, POST, DELETE, PUT, OPTIONS");
  }
  return headers;
}

void SetCommonHeaders(Reply& reply, const Headers& common) {
  constexpr std::string_view kDropped[] = {"Date",
                                           "Connection",
                                           "Keep-Alive",
                                           "Proxy-Authenticate",
                                           "Proxy-Authorization",
                                           "TE",
                                           "Trailer",
                                           "Transfer-Encoding",
                                           "Content-Length",
                                           "Access-Control-Allow-Origin",
                                           "Access-Control-Allow-Headers",
                                           "Access-Control-Allow-Methods"};
  std::erase_if(reply.headers, [&](const auto& field) {
    for (const std::string_view dropped : kDropped) {
      if (EqualsIgnoreCase(field.first, dropped)) return true;
    }
    for (const auto& [name, value] : common) {
      if (EqualsIgnoreCase(field.first, name)) return true;
    }
    return reply.status != 101 && EqualsIgnoreCase(field.first, "Upgrade");
  });
  reply.headers.insert(reply.headers.end(), common.begin(), common.end());
}

}  // namespace swarm
