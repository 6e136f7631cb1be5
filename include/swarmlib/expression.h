// The expression language of constraints, affinities and whitelists.
//
//   zone==external   storage!=hdd   region==us-*   node==/dockerhost0[12]/   disk==~ssd (soft)
//   zone=External
//
// The peer's grammar (docker/swarm scheduler/filter/expr.go), with the posts' single "=" (compared
// without case; "=!", "=/re/" and "=!/re/" too) and with glob characters taken literally except
// "*".
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/statusor.h"
#include "swarmlib/model.h"

namespace swarm {

inline constexpr std::size_t kMaxExpressionLength = 4096;  // bytes of one expression

// InvalidArgument names the expression and what is wrong with it: key, operator, value, or a
// regular expression that does not compile.
absl::StatusOr<Expression> ParseExpression(std::string_view text);

// True when `value` satisfies the expression: for kNotEqual, when it does not match.
bool Matches(const Expression& expression, std::string_view value);

}  // namespace swarm
