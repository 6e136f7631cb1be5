// Where the library's log lines go.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace swarm {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// One line: a message in plain words and the facts as fields. Holds no secrets.
struct LogRecord {
  LogLevel level = LogLevel::kInfo;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;
};

// Called from any thread, several at once, and until the manager is destroyed; must not call back
// into the library, must not throw.
using LogSink = std::function<void(const LogRecord&)>;

// Lines to standard error, as text (`level message key=value`) or as one JSON object each.
// Records below `least` are dropped.
LogSink StderrSink(LogLevel least, bool json);

}  // namespace swarm
