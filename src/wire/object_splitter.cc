#include "swarmlib/status.h"
#include "wire/events.h"

namespace swarm {

absl::Status ObjectSplitter::Feed(std::string_view bytes, std::vector<std::string>& objects) {
  std::size_t start = 0;  // of what belongs to the object under way
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char letter = bytes[at];
    if (depth_ == 0) {
      if (letter == ' ' || letter == '\t' || letter == '\r' || letter == '\n' || letter == '\x1e')
        continue;
      if (letter != '{')
        return InvalidArgument("the stream holds something else than JSON objects");
      depth_ = 1;
      start = at;
      continue;
    }
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (letter == '\\') {
        escaped_ = true;
      } else if (letter == '"') {
        in_string_ = false;
      }
      continue;
    }
    if (letter == '"') {
      in_string_ = true;
    } else if (letter == '{' || letter == '[') {
      ++depth_;
    } else if ((letter == '}' || letter == ']') && --depth_ == 0) {
      held_.append(bytes.substr(start, at + 1 - start));
      if (held_.size() > most_) break;
      objects.push_back(std::move(held_));
      held_.clear();
      start = at + 1;
    }
  }
  if (depth_ > 0) held_.append(bytes.substr(start));
  if (held_.size() <= most_) return absl::OkStatus();
  return ResourceExhausted("an object in the stream is larger than " + std::to_string(most_) +
                           " bytes");
}

}  // namespace swarm
