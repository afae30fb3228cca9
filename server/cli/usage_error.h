// Errors of the command line.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace edgegate {

// Returns the message for an error of parsing. Unknown commands and options get a suggestion and
// the list.
std::string UsageError(const CLI::App& app, const CLI::ParseError& error);

}  // namespace edgegate
