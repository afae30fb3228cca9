// The edgegate program: parses subcommands and flags. server/cli/ implements the subcommands.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>

#include "engine/base/version.h"
#include "engine/ops/linear/weight_formats.h"
#include "server/catalog/default_models.h"
#include "server/cli/commands.h"
#include "server/worker/host.h"

extern char** environ;

namespace edgegate {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  edgegate serve\n"
    "  edgegate serve --model edge-demo-v --model chat=glm-edge-1.5b-chat/\n"
    "  edgegate serve --config /etc/edgegate/edgegate.toml --server.host 0.0.0.0\n"
    "  edgegate serve --model glm-edge-4b-chat/ --draft glm-edge-1.5b-chat/\n"
    "  edgegate run glm-edge-1.5b-chat/ \"Why is the sky blue?\"\n"
    "  edgegate run edge-demo-v --image gauge.jpg \"What does the gauge read?\"\n"
    "  edgegate quantize glm-edge-1.5b-chat/ glm-edge-1.5b.edgegate\n"
    "  edgegate bench --shape glm-edge-1.5b\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 model cannot be loaded, 130 interrupted.";

// The values of the flags.
struct CommandLine {
  std::string config_file;
  std::vector<std::string> models, drafts;
  std::map<std::string, std::string> settings;  // by key; empty: not given
  RunArguments run;
  QuantizeArguments quantize;
  BenchArguments bench;
};

// Adds a flag for each setting.
void AddSettings(CLI::App* command, CommandLine* line) {
  command->add_option("--config", line->config_file, "settings file (TOML)");
  for (const SettingInfo& info : ListSettings()) {
    std::string names = "--" + info.key;
    if (info.key == "server.host") names += ",--host";
    if (info.key == "server.port") names += ",--port";
    if (info.key == "engine.threads") names += ",--threads";
    if (info.key == "engine.weight_format") names += ",--format";
    command->add_option(names, line->settings[info.key],
                        info.description + " [" + info.default_text + "]");
  }
}

void AddServe(CLI::App* serve, CommandLine* line) {
  serve
      ->add_option(
          "--model", line->models,
          "PATH or NAME=PATH of a bundle, directory, GGUF or GGUF+MMPROJ; repeat for several. "
          "Default: edge-demo-v and the models in engine.model_dir")
      ->allow_extra_args(false);
  serve
      ->add_option("--draft", line->drafts,
                   "draft model: a small model with the same vocabulary. PATH, or NAME=PATH if "
                   "several models are served; repeat for several")
      ->allow_extra_args(false);
  AddSettings(serve, line);
}

void AddRun(CLI::App* run, CommandLine* line) {
  RunArguments& arguments = line->run;
  run->add_option("model", arguments.model,
                  "bundle, directory, GGUF or GGUF+MMPROJ, or a default model's name")
      ->required();
  run->add_option("prompt", arguments.prompt, "the prompt; - reads standard input")->required();
  run->add_option("--image", arguments.images,
                  "JPEG, PNG or WebP file of an image; repeat for several")
      ->allow_extra_args(false);
  run->add_option("--draft", arguments.draft,
                  "draft model: a small model with the same vocabulary");
  run->add_option("--system", arguments.system, "system message");
  run->add_option("--max-tokens", arguments.max_tokens, "largest number of tokens to generate");
  run->add_option("--temperature", arguments.temperature, "sampling temperature; 0: greedy");
  AddSettings(run, line);
}

void AddQuantize(CLI::App* quantize, CommandLine* line) {
  QuantizeArguments& arguments = line->quantize;
  quantize->add_option("source", arguments.source, "directory, GGUF or GGUF+MMPROJ")->required();
  quantize->add_option("destination", arguments.destination, "file to write")->required();
  quantize->add_option("--calibration", arguments.calibration, "text to calibrate with");
  quantize->add_option("--format", arguments.format, WeightFormatNames() + " [int8]");
}

void AddBench(CLI::App* bench, CommandLine* line) {
  BenchArguments& arguments = line->bench;
  bench->add_option("--model", arguments.model, "bundle, directory, GGUF or GGUF+MMPROJ");
  bench->add_option("--shape", arguments.shape,
                    "random weights of this shape: glm-edge-1.5b, glm-edge-4b, glm-edge-v-2b, "
                    "glm-edge-v-5b, smollm2-135m");
  bench->add_option("--prompt", arguments.prompt, "tokens to prefill [512]");
  bench->add_option("--gen", arguments.gen, "tokens to decode [64]");
  bench->add_option("--batch", arguments.batch, "numbers of sequences to decode at once [1,8]")
      ->delimiter(',');
  bench
      ->add_option(
          "--context", arguments.context,
          "context lengths at which one growing sequence is measured, such as 128,1024,8192")
      ->delimiter(',');
  bench->add_flag("--json", arguments.json, "print JSON");
  bench->add_flag("--brief", arguments.brief,
                  "measure one prefill; leave out the speed of the machine and the streams");
  AddSettings(bench, line);
}

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
  if (!line.models.empty()) settings->models.clear();
  for (const std::string& model : line.models) {
    settings->models.push_back(FindModel(model, *settings));
  }
  for (const std::string& draft : line.drafts) EG_RETURN_IF_ERROR(AddDraft(draft, settings));
  return {};
}

int Main(int argc, char** argv) {
  CLI::App app{"edgegate: a local inference daemon with an OpenAI-compatible API"};
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", Version());
  CommandLine line;
  AddServe(app.add_subcommand("serve", "serve models over HTTP"), &line);
  CLI::App* run = app.add_subcommand("run", "answer one prompt in the terminal");
  AddRun(run, &line);
  CLI::App* quantize = app.add_subcommand("quantize", "write a packed bundle");
  AddQuantize(quantize, &line);
  CLI::App* bench = app.add_subcommand("bench", "measure prefill and decode on this machine");
  AddBench(bench, &line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  if (*quantize) return QuantizeModel(line.quantize);
  Settings settings;
  const Status status = GatherSettings(line, &settings);
  if (!status.ok()) {
    std::fprintf(stderr, "edgegate: %s\n", status.message().c_str());
    return kExitUsage;
  }
  if (*run) return RunPrompt(settings, line.run);
  if (*bench) return Bench(settings, line.bench);
  return Serve(settings);
}

}  // namespace
}  // namespace edgegate

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], edgegate::kHostCommand) == 0) {
    return edgegate::RunModelHost();
  }
  return edgegate::Main(argc, argv);
}
