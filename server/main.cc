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

// Reads settings from the file, the environment and the flags, in this order. Later ones win.
Status GatherSettings(const std::string& file, const std::map<std::string, std::string>& flags,
                      const std::vector<std::string>& models,
                      const std::vector<std::string>& drafts, Settings* settings) {
  // Every user of the machine can read a process's arguments.
  if (const auto keys = flags.find("server.api_keys");
      keys != flags.end() && !keys->second.empty()) {
    return InvalidArgument(
        "--server.api_keys would show the keys in the list of processes: use the environment "
        "variable EDGEGATE_SERVER_API_KEYS, server.api_keys in the settings file, or "
        "server.api_keys_file");
  }
  if (!file.empty()) EG_RETURN_IF_ERROR(LoadSettingsFile(file, settings));
  EG_RETURN_IF_ERROR(LoadSettingsEnvironment(environ, settings));
  for (const auto& [key, value] : flags) {
    if (!value.empty()) EG_RETURN_IF_ERROR(SetSetting(key, value, settings));
  }
  if (!models.empty()) settings->models.clear();
  for (const std::string& model : models) settings->models.push_back(FindModel(model, *settings));
  for (const std::string& draft : drafts) EG_RETURN_IF_ERROR(AddDraft(draft, settings));
  return {};
}

int Main(int argc, char** argv) {
  CLI::App app{"edgegate: a local inference daemon with an OpenAI-compatible API"};
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", Version());

  std::string config_file;
  std::vector<std::string> models, drafts;
  std::map<std::string, std::string> flags;
  auto add_settings = [&](CLI::App* command) {
    command->add_option("--config", config_file, "settings file (TOML)");
    for (const SettingInfo& info : ListSettings()) {
      std::string names = "--" + info.key;
      if (info.key == "server.host") names += ",--host";
      if (info.key == "server.port") names += ",--port";
      if (info.key == "engine.threads") names += ",--threads";
      if (info.key == "engine.weight_format") names += ",--format";
      command->add_option(names, flags[info.key],
                          info.description + " [" + info.default_text + "]");
    }
  };

  CLI::App* serve = app.add_subcommand("serve", "serve models over HTTP");
  serve
      ->add_option(
          "--model", models,
          "PATH or NAME=PATH of a bundle, directory, GGUF or GGUF+MMPROJ; repeat for several. "
          "Default: edge-demo-v and the models in engine.model_dir")
      ->allow_extra_args(false);
  serve
      ->add_option("--draft", drafts,
                   "draft model: a small model with the same vocabulary. PATH, or NAME=PATH if "
                   "several models are served; repeat for several")
      ->allow_extra_args(false);
  add_settings(serve);

  RunArguments run_arguments;
  CLI::App* run = app.add_subcommand("run", "answer one prompt in the terminal");
  run->add_option("model", run_arguments.model,
                  "bundle, directory, GGUF or GGUF+MMPROJ, or a default model's name")
      ->required();
  run->add_option("prompt", run_arguments.prompt, "the prompt; - reads standard input")->required();
  run->add_option("--image", run_arguments.images,
                  "JPEG, PNG or WebP file of an image; repeat for several")
      ->allow_extra_args(false);
  run->add_option("--draft", run_arguments.draft,
                  "draft model: a small model with the same vocabulary");
  run->add_option("--system", run_arguments.system, "system message");
  run->add_option("--max-tokens", run_arguments.max_tokens, "largest number of tokens to generate");
  run->add_option("--temperature", run_arguments.temperature, "sampling temperature; 0: greedy");
  add_settings(run);

  QuantizeArguments quantize_arguments;
  CLI::App* quantize = app.add_subcommand("quantize", "write a packed bundle");
  quantize->add_option("source", quantize_arguments.source, "directory, GGUF or GGUF+MMPROJ")
      ->required();
  quantize->add_option("destination", quantize_arguments.destination, "file to write")->required();
  quantize->add_option("--calibration", quantize_arguments.calibration, "text to calibrate with");
  quantize->add_option("--format", quantize_arguments.format, WeightFormatNames() + " [int8]");

  BenchArguments bench_arguments;
  CLI::App* bench = app.add_subcommand("bench", "measure prefill and decode on this machine");
  bench->add_option("--model", bench_arguments.model, "bundle, directory, GGUF or GGUF+MMPROJ");
  bench->add_option("--shape", bench_arguments.shape,
                    "random weights of this shape: glm-edge-1.5b, glm-edge-4b, glm-edge-v-2b, "
                    "glm-edge-v-5b, smollm2-135m");
  bench->add_option("--prompt", bench_arguments.prompt, "tokens to prefill [512]");
  bench->add_option("--gen", bench_arguments.gen, "tokens to decode [64]");
  bench
      ->add_option("--batch", bench_arguments.batch, "numbers of sequences to decode at once [1,8]")
      ->delimiter(',');
  bench
      ->add_option(
          "--context", bench_arguments.context,
          "context lengths at which one growing sequence is measured, such as 128,1024,8192")
      ->delimiter(',');
  bench->add_flag("--json", bench_arguments.json, "print JSON");
  bench->add_flag("--brief", bench_arguments.brief,
                  "measure one prefill; leave out the speed of the machine and the streams");
  add_settings(bench);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  if (*quantize) return QuantizeModel(quantize_arguments);
  Settings settings;
  const Status status = GatherSettings(config_file, flags, models, drafts, &settings);
  if (!status.ok()) {
    std::fprintf(stderr, "edgegate: %s\n", status.message().c_str());
    return kExitUsage;
  }
  if (*run) return RunPrompt(settings, run_arguments);
  if (*bench) return Bench(settings, bench_arguments);
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
