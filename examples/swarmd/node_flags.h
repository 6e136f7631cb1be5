// The command line of `swarmd node`.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "node_command.h"

namespace swarmd {

// Adds the command with its verbs; what they are given lands in `command` and `timeout`, which must
// live until the parsing is over.
CLI::App* AddNodeCommand(CLI::App& app, NodeCommand& command, std::string& timeout);

// Completes `command` after the parsing: which verb it was, and what the environment says. "A
// sentence" about what is wrong, or empty.
std::string FinishNodeCommand(const CLI::App& node, const std::string& timeout,
                              NodeCommand& command);

}  // namespace swarmd
