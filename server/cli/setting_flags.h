// The flags of settings.
#pragma once

#include <CLI/CLI.hpp>

#include "server/cli/command_line.h"

namespace edgegate {

// Adds --config, and a flag for each setting that the command reads, in a group for each section.
void AddSettingFlags(Command command, CLI::App* app, CommandLine* line);

}  // namespace edgegate
