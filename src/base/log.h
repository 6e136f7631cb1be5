// Writing one log record.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swarmlib/log.h"

namespace swarm {

using LogFields = std::vector<std::pair<std::string, std::string>>;

// Gives the record to `sink` if there is one.
void Log(const LogSink& sink, LogLevel level, std::string_view message, LogFields fields = {});

// One line without the newline: `message key=value key="two words"`, every control character
// escaped.
std::string FormatText(const LogRecord& record);
// One JSON object: {"level":...,"message":...,fields...}.
std::string FormatJson(const LogRecord& record);

}  // namespace swarm
