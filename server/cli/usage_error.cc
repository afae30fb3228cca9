#include "server/cli/usage_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "server/cli/suggestion.h"

namespace edgegate {
namespace {

std::vector<std::string> CommandsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// Returns the long names of the options, such as "--port".
std::vector<std::string> OptionsOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string UnknownCommand(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> commands = CommandsOf(app);
  return fmt::format("unknown command {}.{}\nCommands: {}", word, DidYouMean(word, commands),
                     fmt::join(commands, ", "));
}

// Returns the sentence that names other commands with the option. Empty: there are none.
std::string OtherCommands(const CLI::App& app, const CLI::App& command, const std::string& option) {
  std::vector<std::string> others;
  for (const CLI::App* other : app.get_subcommands({})) {
    const std::vector<std::string> options = OptionsOf(*other);
    const bool has = std::find(options.begin(), options.end(), option) != options.end();
    if (other != &command && has) others.push_back(other->get_name());
  }
  return others.empty() ? "" : fmt::format(" It is an option of {}.", fmt::join(others, ", "));
}

std::string UnknownOption(const CLI::App& app, const CLI::App& command, const std::string& word) {
  const std::string option = word.substr(0, word.find('='));
  std::vector<std::string> options = OptionsOf(command);
  std::string hint = OtherCommands(app, command, option);
  if (hint.empty()) hint = DidYouMean(option, options);
  const auto is_setting = [](const std::string& name) {
    return name.find('.') != std::string::npos;
  };
  const bool settings = std::any_of(options.begin(), options.end(), is_setting);
  options.erase(std::remove_if(options.begin(), options.end(), is_setting), options.end());
  return fmt::format("{}: unknown option {}.{}\nOptions: {}{}", command.get_name(), option, hint,
                     fmt::join(options, ", "), settings ? ", and settings" : "");
}

std::string UnknownWord(const CLI::App& command, const std::string& word) {
  return fmt::format("{}: unexpected argument {}.{}", command.get_name(), word,
                     command.get_name() == "run" ? " A prompt of several words needs quotes." : "");
}

bool IsOption(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

}  // namespace

std::string UsageError(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  const CLI::App& command = chosen.empty() ? app : *chosen.front();
  const std::vector<std::string> left = command.remaining();
  const auto option = std::find_if(left.begin(), left.end(), IsOption);
  std::string message;
  if (option != left.end()) {
    message = UnknownOption(app, command, *option);
  } else if (left.empty()) {
    message = chosen.empty() ? error.what() : command.get_name() + ": " + error.what();
    if (chosen.empty()) message += fmt::format("\nCommands: {}", fmt::join(CommandsOf(app), ", "));
  } else {
    message =
        chosen.empty() ? UnknownCommand(app, left.front()) : UnknownWord(command, left.front());
  }
  const std::string name = chosen.empty() ? "" : " " + command.get_name();
  return fmt::format("edgegate: {}\nedgegate{} --help tells more.\n", message, name);
}

}  // namespace edgegate
