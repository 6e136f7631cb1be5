#include "wire/filters.h"

#include "base/text.h"
#include "swarmlib/status.h"
#include "wire/json.h"

namespace swarm {
namespace {

using Kind = JsonDocument::Kind;

absl::Status BadFilters(std::string_view why) {
  return InvalidArgument("invalid filters: " + std::string(why));
}

std::string DecodeQueryPart(std::string_view text) {
  std::string spaced(text);
  for (char& letter : spaced) {
    if (letter == '+') letter = ' ';
  }
  return PercentDecode(spaced).value_or(spaced);
}

}  // namespace

absl::StatusOr<FilterArguments> ParseFilters(std::string_view json) {
  FilterArguments filters;
  if (Trim(json).empty()) return filters;
  JsonDocument document;
  if (const absl::Status parsed = document.Parse(json); !parsed.ok())
    return BadFilters(MessageOf(parsed));
  if (document.root().is(Kind::kNull)) return filters;
  if (!document.root().is(Kind::kObject)) return BadFilters("an object is wanted");
  absl::Status wrong;
  document.root().ForEachMember([&](JsonValue key, JsonValue value) {
    std::vector<std::string>& wanted = filters[key.text()];
    if (value.is(Kind::kObject)) {
      value.ForEachMember([&](JsonValue name, JsonValue on) {
        if (!on.is(Kind::kTrue) && !on.is(Kind::kFalse))
          wrong = BadFilters("a value is not a boolean");
        // Go's own check is for the key alone: {"v":false} asks for v as well.
        wanted.push_back(name.text());
      });
    } else if (value.is(Kind::kArray)) {
      value.ForEachElement([&](JsonValue element) {
        if (!element.is(Kind::kString)) wrong = BadFilters("a value is not a string");
        wanted.push_back(element.text());
      });
    } else if (!value.is(Kind::kNull)) {
      wrong = BadFilters("\"" + key.text() + "\" is " + std::string(JsonKindName(value.kind())));
    }
  });
  if (!wrong.ok()) return wrong;
  return filters;
}

std::string FormatFilters(const FilterArguments& filters) {
  std::string json = "{";
  for (const auto& [key, values] : filters) {
    AppendJsonKey(json, key);
    json.push_back('{');
    for (const std::string& value : values) AppendJsonField(json, value, true);
    json.push_back('}');
  }
  json.push_back('}');
  return json;
}

bool ParseBoolean(std::string_view text) {
  const std::string lower = ToLower(Trim(text));
  return !(lower.empty() || lower == "0" || lower == "no" || lower == "false" || lower == "none");
}

Query ParseQuery(std::string_view text) {
  Query query;
  for (const std::string_view part : Split(text, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    query.emplace_back(DecodeQueryPart(part.substr(0, equals)), DecodeQueryPart(value));
  }
  return query;
}

const std::string* FindQuery(const Query& query, std::string_view key) {
  for (const auto& [name, value] : query) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string FormatQuery(const Query& query) {
  std::string text;
  for (const auto& [key, value] : query) {
    if (!text.empty()) text.push_back('&');
    text.append(PercentEncode(key)).append("=").append(PercentEncode(value));
  }
  return text;
}

}  // namespace swarm
