#include "base/log.h"

#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json_text.h"

namespace swarm {
namespace {

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "info";
}

spdlog::level::level_enum LevelOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char letter : value) {
    if (letter <= ' ' || letter == '"' || letter == '=' || letter == '\\' || letter == '\x7f')
      return true;
  }
  return false;
}

std::string OneLine(std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

void Log(const LogSink& sink, LogLevel level, std::string_view message, LogFields fields) {
  if (sink) sink({level, std::string(message), std::move(fields)});
}

std::string FormatText(const LogRecord& record) {
  std::string line = OneLine(record.message);
  for (const auto& [key, value] : record.fields) {
    line.append(" ").append(key).append("=");
    if (NeedsQuotes(value)) {
      AppendJsonString(line, value);
    } else {
      line.append(value);
    }
  }
  return line;
}

std::string FormatJson(const LogRecord& record) {
  std::string line = "{\"level\":";
  AppendJsonString(line, LevelName(record.level));
  line.append(",\"message\":");
  AppendJsonString(line, record.message);
  for (const auto& [key, value] : record.fields) {
    line.append(",");
    AppendJsonString(line, key);
    line.append(":");
    AppendJsonString(line, value);
  }
  return line + "}";
}

LogSink StderrSink(LogLevel least, bool json) {
  auto logger =
      std::make_shared<spdlog::logger>("swarm", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_level(LevelOf(least));
  // RFC 3339; in JSON the first member of the record's own object.
  logger->set_pattern(json ? "{\"time\":\"%Y-%m-%dT%H:%M:%S.%e%z\",%v"
                           : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  logger->flush_on(spdlog::level::debug);
  return [logger, json, least](const LogRecord& record) {
    if (record.level < least) return;
    logger->log(LevelOf(record.level), json ? FormatJson(record).substr(1) : FormatText(record));
  };
}

}  // namespace swarm
