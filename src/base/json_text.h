// Writing JSON strings without a JSON library.
#pragma once

#include <string>
#include <string_view>

namespace swarm {

// Appends `text` as a JSON string with its quotes (RFC 8259 7). Bytes above 0x7f pass unchanged.
void AppendJsonString(std::string& to, std::string_view text);

}  // namespace swarm
