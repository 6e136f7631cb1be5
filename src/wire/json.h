// JSON read in place: a flat index over the bytes, so that what is not touched is passed on as it
// was written.
//
// Strict RFC 8259 with two bounds. Strings are not required to be valid UTF-8 (engines are not
// either). Numbers stay text until they are asked for, so none loses a digit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace swarm {

inline constexpr int kMostJsonDepth = 64;
inline constexpr std::size_t kMostJsonBytes = 256U << 20U;

class JsonValue;

// The index of one value. Reused by parsing again. The text must outlive it and every JsonValue of
// it.
class JsonDocument {
 public:
  enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

  // `text` is one value with white space around it. InvalidArgument says what is wrong at which
  // byte.
  absl::Status Parse(std::string_view text);

  // One value that begins at or after `offset`; the offset behind it and the white space after it.
  absl::StatusOr<std::size_t> ParseAt(std::string_view text, std::size_t offset);

  // Only after a parse that went well.
  JsonValue root() const;

 private:
  friend class JsonValue;
  friend class JsonParser;
  struct Entry {
    std::uint32_t begin, end;  // bytes of the text
    std::uint32_t next;        // the entry behind this value and all in it
    Kind kind;
  };
  std::string_view text_;
  std::vector<Entry> entries_;  // an object's keys and values take turns
};

// One value of a document, or nothing. A small handle: pass it by value.
class JsonValue {
 public:
  using Kind = JsonDocument::Kind;

  JsonValue() = default;

  explicit operator bool() const { return document_ != nullptr; }
  Kind kind() const { return entry().kind; }
  bool is(Kind kind) const { return document_ != nullptr && entry().kind == kind; }
  // Absent, or null: what Go takes as "leave it".
  bool absent() const { return document_ == nullptr || entry().kind == Kind::kNull; }

  std::size_t begin() const { return entry().begin; }
  std::size_t end() const { return entry().end; }
  // The bytes as written.
  std::string_view raw() const { return document_->text_.substr(begin(), end() - begin()); }

  // The string's value; empty for anything else.
  std::string text() const;
  // True when it is the string `text`.
  bool Equals(std::string_view text) const;
  // The number, when it is written as a whole one and fits.
  std::optional<std::int64_t> integer() const;
  bool boolean() const { return is(Kind::kTrue); }

  // Elements of an array, or nothing for anything else.
  std::vector<JsonValue> elements() const;
  // Keys and values of an object in order, or nothing for anything else.
  std::vector<std::pair<JsonValue, JsonValue>> members() const;
  // The last member of that very name, as Go's maps have it; or nothing.
  JsonValue Find(std::string_view key) const;
  // Calls `visit(key, value)` for each member of an object without making a list.
  template <typename Visit>
  void ForEachMember(Visit visit) const {
    if (!is(Kind::kObject)) return;
    for (std::uint32_t at = index_ + 1; at < entry().next;) {
      const JsonValue key(document_, at);
      const JsonValue value(document_, at + 1);
      at = value.entry().next;
      visit(key, value);
    }
  }
  template <typename Visit>
  void ForEachElement(Visit visit) const {
    if (!is(Kind::kArray)) return;
    for (std::uint32_t at = index_ + 1; at < entry().next;) {
      const JsonValue value(document_, at);
      at = value.entry().next;
      visit(value);
    }
  }

 private:
  friend class JsonDocument;
  JsonValue(const JsonDocument* document, std::uint32_t index)
      : document_(document), index_(index) {}
  const JsonDocument::Entry& entry() const { return document_->entries_[index_]; }

  const JsonDocument* document_ = nullptr;
  std::uint32_t index_ = 0;
};

// "a string", "an array" ..., for messages.
std::string_view JsonKindName(JsonDocument::Kind kind);

// Key equality as Go's encoding/json has it: without case, U+017F as "s" and U+212A as "k".
bool SameJsonKey(std::string_view left, std::string_view right);
// The same text for all keys that are equal so.
std::string FoldJsonKey(std::string_view key);

// The member that Go would decode into the field `key`. InvalidArgument when two would be: which of
// them an engine takes depends on its age, so what was checked here might not be what counts there.
absl::StatusOr<JsonValue> FindField(JsonValue object, std::string_view key);

// Replacements in a text, given in any order, not overlapping.
class TextEdits {
 public:
  void Replace(std::size_t begin, std::size_t end, std::string by) {
    edits_.push_back({begin, end, std::move(by)});
  }
  // Adds `member` ("\"key\":value") behind the last member of `object`. Several go in the order
  // given.
  void AddMember(JsonValue object, std::string member);
  // The bytes [begin, end) of `text` with the edits made in them.
  std::string Apply(std::string_view text, std::size_t begin, std::size_t end);
  // The same, appended.
  void Apply(std::string_view text, std::size_t begin, std::size_t end, std::string& to);
  bool empty() const { return edits_.empty(); }

 private:
  struct Edit {
    std::size_t begin, end;
    std::string by;
  };
  std::vector<Edit> edits_;
};

// Appends `"key":` with a comma before it unless the object has just been opened.
void AppendJsonKey(std::string& to, std::string_view key);
// The same with a string value.
void AppendJsonField(std::string& to, std::string_view key, std::string_view value);
void AppendJsonField(std::string& to, std::string_view key, const char* value);
void AppendJsonField(std::string& to, std::string_view key, std::int64_t value);
void AppendJsonField(std::string& to, std::string_view key, int value);
void AppendJsonField(std::string& to, std::string_view key, bool value);
// ["a","b"]
void AppendJsonStrings(std::string& to, const std::vector<std::string>& values);
std::string JsonString(std::string_view text);
// The beginning of what somebody sent, as a JSON string, for a message.
std::string ShortQuoted(std::string_view text);

}  // namespace swarm
