#include "swarmlib/status.h"
#include "wire/events.h"

namespace swarm {

void ObjectSplitter::Hold(std::string_view bytes) {
  if (too_large_) return;
  too_large_ = held_.size() + bytes.size() > most_;
  if (too_large_) {
    held_ = std::string();
  } else {
    held_.append(bytes);
  }
}

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
      Hold(bytes.substr(start, at + 1 - start));
      if (!too_large_) {
        objects.push_back(std::move(held_));
      } else if (larger_ == Larger::kFail) {
        break;
      } else {
        too_large_ = false;
        ++skipped_;
      }
      held_.clear();
      start = at + 1;
    }
  }
  if (depth_ > 0) Hold(bytes.substr(start));
  if (!too_large_ || larger_ == Larger::kSkip) return absl::OkStatus();
  return ResourceExhausted("an object in the stream is larger than " + std::to_string(most_) +
                           " bytes");
}

}  // namespace swarm
