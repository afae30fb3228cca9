// The command line: subcommands, options, help and errors of usage.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "server/cli/commands.h"

namespace edgegate {

enum class Command { kServe, kRun, kList, kQuantize, kBench };

// The values of the flags.
struct CommandLine {
  Command command = Command::kServe;
  std::string config_file;
  std::vector<std::string> models, drafts;      // of serve
  std::map<std::string, std::string> settings;  // by key; empty: not given
  RunArguments run;
  ListArguments list;
  QuantizeArguments quantize;
  BenchArguments bench;
};

// Parses the arguments. Returns the exit code if the program has nothing more to do: the help or
// the version was asked for, or the usage is wrong. Both are printed.
std::variant<CommandLine, int> ParseCommandLine(int argc, const char* const* argv);

}  // namespace edgegate
