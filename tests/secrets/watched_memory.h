// Every block of memory that operator new or OpenSSL hands out in this program, searched for a
// secret when it is freed.
#pragma once

#include <cstddef>
#include <string_view>

namespace swarm {

// Whether OpenSSL takes its memory here too.
bool WatchesOpenssl();

// From now on blocks that are freed are searched for `secret`, which must outlive the search; an
// empty one ends it. Any thread.
void SearchFreed(std::string_view secret);

// How many of the freed blocks held it since SearchFreed. Any thread.
std::size_t FreedWithSecret();

// How many blocks in use hold it now. Any thread.
std::size_t BlocksWith(std::string_view secret);

}  // namespace swarm
