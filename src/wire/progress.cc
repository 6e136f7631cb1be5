#include "wire/progress.h"

#include "wire/json.h"

namespace swarm {

using Kind = JsonDocument::Kind;

std::string ProgressLine(std::string_view id, std::string_view status) {
  std::string line = "{";
  AppendJsonField(line, "status", status);
  if (!id.empty()) AppendJsonField(line, "id", id);
  line.append("}\r\n");
  return line;
}

std::string PrefixProgress(std::string_view object, std::string_view node) {
  JsonDocument document;
  if (!document.Parse(object).ok() || !document.root().is(Kind::kObject))
    return std::string(object);
  const JsonValue id = document.root().Find("id");
  std::string moved(node);
  if (id.is(Kind::kString) && !id.text().empty()) moved.append("/").append(id.text());
  TextEdits edits;
  if (id) {
    edits.Replace(id.begin(), id.end(), JsonString(moved));
  } else {
    edits.AddMember(document.root(), "\"id\":" + JsonString(moved));
  }
  return edits.Apply(object, 0, object.size());
}

std::string ErrorLine(std::string_view message) {
  const std::string quoted = JsonString(message);
  return "{\"errorDetail\":{\"code\":1,\"message\":" + quoted + "},\"error\":" + quoted + "}\r\n";
}

std::string ProgressError(std::string_view object) {
  JsonDocument document;
  if (!document.Parse(object).ok()) return {};
  const std::string detail = document.root().Find("errorDetail").Find("message").text();
  return detail.empty() ? document.root().Find("error").text() : detail;
}

}  // namespace swarm
