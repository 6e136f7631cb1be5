#include "model/expression.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "swarmlib/status.h"

namespace swarm {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsKey(std::string_view key) {
  if (key.size() < 2 || (!IsLetter(key.front()) && key.front() != '_')) return false;
  for (const char c : key.substr(1)) {
    if (!IsLetter(c) && !IsDigit(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return true;
}

bool IsValueCharacter(char c) {
  constexpr std::string_view kOthers = ":-_ \t\r\n\v\f.*/()?+[]\\^$|";
  return IsLetter(c) || IsDigit(c) || kOthers.find(c) != std::string_view::npos;
}

// One of "= ! /", then one "~", then at least one plain character; the first two may be missing.
bool IsValue(std::string_view value) {
  if (!value.empty() && (value.front() == '=' || value.front() == '!')) value.remove_prefix(1);
  if (!value.empty() && value.front() == '~') {
    value.remove_prefix(1);
  } else if (value.size() > 1 && value[0] == '/' && value[1] == '~') {
    value.remove_prefix(2);
  }
  if (value.empty()) return false;
  for (const char c : value) {
    if (!IsValueCharacter(c)) return false;
  }
  return true;
}

std::unique_ptr<re2::RE2> Compile(const Expression& expression) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_case_sensitive(!expression.ignore_case);
  options.set_max_mem(static_cast<std::int64_t>(kMaxExpressionMemory));
  return std::make_unique<re2::RE2>(
      re2::StringPiece(expression.value.data(), expression.value.size()), options);
}

absl::Status Invalid(std::string_view text, std::string_view what) {
  return InvalidArgument("Invalid expression \"" + std::string(text) + "\": " + std::string(what));
}

// Splits at the first "==", else at the first "!=", else at the first "=".
bool SplitAtOperator(std::string_view text, Expression& into, std::string_view& key,
                     std::string_view& value) {
  std::size_t at = text.find("==");
  if (at == std::string_view::npos) {
    at = text.find("!=");
    if (at != std::string_view::npos) into.op = Expression::Operator::kNotEqual;
  }
  if (at != std::string_view::npos) {
    key = text.substr(0, at);
    value = text.substr(at + 2);
    return true;
  }
  at = text.find('=');
  if (at == std::string_view::npos) return false;
  into.ignore_case = true;
  key = text.substr(0, at);
  value = text.substr(at + 1);
  if (!value.empty() && value.front() == '!') {
    into.op = Expression::Operator::kNotEqual;
    value.remove_prefix(1);
  }
  return true;
}

}  // namespace

absl::StatusOr<Expression> ReadExpression(std::string_view text) {
  if (text.size() > kMaxExpressionLength) {
    return Invalid(text.substr(0, 64),
                   "it is longer than " + std::to_string(kMaxExpressionLength) + " bytes");
  }
  Expression expression;
  expression.text = std::string(text);
  std::string_view key;
  std::string_view value;
  if (!SplitAtOperator(text, expression, key, value))
    return Invalid(text, "One of operator ==, != is expected");
  if (!IsKey(key)) return Invalid(text, "Key '" + std::string(key) + "' is invalid");
  if (!IsValue(value)) return Invalid(text, "Value '" + std::string(value) + "' is invalid");
  while (!value.empty() && value.front() == '~') {
    expression.soft = true;
    value.remove_prefix(1);
  }
  if (value.size() >= 2 && value.front() == '/' && value.back() == '/') {
    expression.match = Expression::Match::kRegex;
    value = value.substr(1, value.size() - 2);
  }
  expression.key = std::string(key);
  expression.value = std::string(value);
  return expression;
}

absl::Status CheckCompiles(const Expression& expression) {
  if (expression.match != Expression::Match::kRegex) return absl::OkStatus();
  const std::unique_ptr<re2::RE2> regex = Compile(expression);
  if (regex->ok()) return absl::OkStatus();
  return Invalid(expression.text, "the regular expression does not compile: " + regex->error());
}

absl::StatusOr<Expression> ParseExpression(std::string_view text) {
  absl::StatusOr<Expression> expression = ReadExpression(text);
  if (!expression.ok()) return expression;
  if (absl::Status compiles = CheckCompiles(*expression); !compiles.ok()) return compiles;
  return expression;
}

bool IsExact(const Expression& expression) {
  return expression.match == Expression::Match::kGlob && !expression.ignore_case &&
         expression.value.find('*') == std::string::npos;
}

bool MatchesPattern(const Expression& expression, std::string_view value) {
  return IsExact(expression) ? value == expression.value
                             : PatternMatcher(expression).Matches(value);
}

bool Matches(const Expression& expression, std::string_view value) {
  return MatchesPattern(expression, value) == (expression.op == Expression::Operator::kEqual);
}

PatternMatcher::PatternMatcher(const Expression& expression)
    : is_exact_(IsExact(expression)), ignore_case_(expression.ignore_case) {
  if (expression.match == Expression::Match::kRegex) {
    regex_ = Compile(expression);
  } else {
    glob_ = ignore_case_ ? ToLower(expression.value) : expression.value;
  }
}

PatternMatcher::~PatternMatcher() = default;
PatternMatcher::PatternMatcher(PatternMatcher&&) noexcept = default;
PatternMatcher& PatternMatcher::operator=(PatternMatcher&&) noexcept = default;

std::size_t PatternMatcher::size() const {
  return regex_ == nullptr ? 1 : static_cast<std::size_t>(std::max(regex_->ProgramSize(), 1));
}

bool PatternMatcher::Matches(std::string_view value) const {
  if (is_exact_) return value == glob_;
  if (regex_ != nullptr) {
    // A spec that was built by hand, not by ParseExpression, may hold a pattern that does not
    // compile.
    return regex_->ok() &&
           re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  return ignore_case_ ? GlobMatch(glob_, ToLower(value)) : GlobMatch(glob_, value);
}

}  // namespace swarm
