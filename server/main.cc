// The edgegate program. server/cli/ parses the command line and implements the subcommands.

#include <cstring>
#include <utility>

#include "server/catalog/default_models.h"
#include "server/cli/command_line.h"
#include "server/cli/fail.h"
#include "server/cli/named_models.h"
#include "server/worker/host.h"

extern char** environ;

namespace edgegate {
namespace {

// Reads settings from the file, the environment and the flags, in this order. Later ones win.
Status GatherSettings(const CommandLine& line, Settings* settings) {
  // Every user of the machine can read a process's arguments.
  if (const auto keys = line.settings.find("server.api_keys");
      keys != line.settings.end() && !keys->second.empty()) {
    return InvalidArgument(
        "--server.api_keys would show the keys in the list of processes: use the environment "
        "variable EDGEGATE_SERVER_API_KEYS, server.api_keys in the settings file, or "
        "server.api_keys_file");
  }
  if (!line.config_file.empty()) EG_RETURN_IF_ERROR(LoadSettingsFile(line.config_file, settings));
  EG_RETURN_IF_ERROR(LoadSettingsEnvironment(environ, settings));
  for (const auto& [key, value] : line.settings) {
    if (!value.empty()) EG_RETURN_IF_ERROR(SetSetting(key, value, settings));
  }
  return {};
}

// Sets the models to serve, if the flags name some. Errors: ResolveModel().
Status ChooseModels(const CommandLine& line, Settings* settings) {
  std::vector<ModelSetting> chosen;
  for (const std::string& text : line.models) {
    EG_ASSIGN_OR_RETURN(ModelSetting model, ResolveModel(text, *settings));
    chosen.push_back(std::move(model));
  }
  if (!chosen.empty()) settings->models = std::move(chosen);
  return {};
}

int RunServe(const CommandLine& line, Settings settings) {
  if (Status status = ChooseModels(line, &settings); !status.ok()) return Fail(status, kExitModel);
  for (const std::string& draft : line.drafts) {
    if (Status status = AddDraft(draft, &settings); !status.ok()) return Fail(status, kExitUsage);
  }
  return Serve(settings);
}

int RunCommand(const CommandLine& line) {
  if (line.command == Command::kQuantize) return QuantizeModel(line.quantize);
  Settings settings;
  if (Status status = GatherSettings(line, &settings); !status.ok()) {
    return Fail(status, kExitUsage);
  }
  if (line.command == Command::kRun) return RunPrompt(settings, line.run);
  if (line.command == Command::kList) return ListModels(settings, line.list);
  if (line.command == Command::kBench) return Bench(settings, line.bench);
  return RunServe(line, std::move(settings));
}

int Main(int argc, char** argv) {
  const auto parsed = ParseCommandLine(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  return RunCommand(std::get<CommandLine>(parsed));
}

}  // namespace
}  // namespace edgegate

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], edgegate::kHostCommand) == 0) {
    return edgegate::RunModelHost();
  }
  return edgegate::Main(argc, argv);
}
