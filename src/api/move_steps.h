// Single steps of a move, and what became of them.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "api/context.h"
#include "wire/recreate.h"

namespace swarm {

struct StepOutcome {
  absl::Status status;   // ok also when there was nothing left to do
  int http = 0;          // that the engine answered; 0 when it did not
  bool is_known = true;  // false: no answer came, and it may have been done
};

// `query` is what the engine is sent, without "?"; `new_name` is of a rename.
Task<StepOutcome> TakeStep(ContextPointer context, ContainerPointer entry,
                           ContainerOperation::Verb verb, std::string query, std::string new_name);

// What its engine says of a container at this moment; empty: it is gone.
Task<absl::StatusOr<std::optional<Recreation>>> LookAt(ContextPointer context,
                                                       ContainerPointer entry);

// Its first name, else its id.
std::string NameOfContainer(const ContainerEntry& entry);

// Another container than `but` that was made to take the place of the one with that id; null when
// there is none.
ContainerPointer FindSuccessor(const Context& context, const std::string& id,
                               const std::string& but);

// FailedPrecondition: another container than that has the name.
absl::Status CheckNameIsIts(const Context& context, const std::string& name, const std::string& id);

}  // namespace swarm
