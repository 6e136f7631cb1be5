// The byte source and sink under a TLS session: a non-blocking socket, written without SIGPIPE.
#pragma once

#include <openssl/bio.h>

namespace swarm::net {

// Does not own the socket. Null when memory ran out.
BIO* NewSocketBio(int socket);

}  // namespace swarm::net
