// Replies of our own, and what stands on every reply.
#pragma once

#include <string>
#include <string_view>

#include "api/context.h"

namespace swarm {

Reply JsonReply(int status, std::string body);
Reply TextReply(int status, std::string body);
Reply EmptyReply(int status);

// The fields that every reply of the manager carries: Api-Version, Docker-Experimental, Ostype,
// Server, and the CORS ones if they are on.
Headers CommonHeaders(Context& context);

// Removes what is the transport's or tells of one engine (Date, Server, versions), then sets
// `common`.
void SetCommonHeaders(Reply& reply, const Headers& common);

}  // namespace swarm
