// The words behind a status code.
#pragma once

#include <string_view>

namespace swarm::net {

// "Not Found" for 404; a general word for codes without one of their own.
std::string_view ReasonPhrase(int status);

}  // namespace swarm::net
