// The expression language of constraints, affinities and whitelists.
//
//   zone==external   storage!=hdd   region==us-*   node==/dockerhost0[12]/   disk==~ssd (soft)
//   zone=External
//
// The peer's grammar (docker/swarm scheduler/filter/expr.go), with the posts' single "=" (compared
// without case;
// "=!", "=/re/" and "=!/re/" too) and with glob characters taken literally except "*".
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "swarmlib/model.h"

namespace re2 {
class RE2;
}

namespace swarm {

inline constexpr std::size_t kMaxExpressionLength = 4096;  // bytes of one expression
inline constexpr std::size_t kMaxExpressionMemory =
    1024UL * 1024;  // bytes of a compiled regular expression

// InvalidArgument names the expression and what is wrong with it: key, operator, value, or a
// regular expression that does not compile.
absl::StatusOr<Expression> ParseExpression(std::string_view text);

// True when `value` satisfies the expression: for kNotEqual, when it does not match.
bool Matches(const Expression& expression, std::string_view value);

// True when `value` matches the expression's pattern, whatever the operator.
bool MatchesPattern(const Expression& expression, std::string_view value);

// True when the pattern is one text, compared byte by byte.
bool IsExact(const Expression& expression);

// The pattern of an expression, compiled once for many values. Thread-safe.
class PatternMatcher {
 public:
  explicit PatternMatcher(const Expression& expression);
  ~PatternMatcher();
  PatternMatcher(PatternMatcher&&) noexcept;
  PatternMatcher& operator=(PatternMatcher&&) noexcept;

  // As MatchesPattern.
  bool Matches(std::string_view value) const;

 private:
  bool is_exact_;
  bool ignore_case_;
  std::string glob_;
  std::unique_ptr<re2::RE2> regex_;  // null for a glob
};

}  // namespace swarm
