#include "server/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "engine/base/version.h"
#include "engine/family/random_weights.h"
#include "engine/ops/linear/weight_formats.h"
#include "server/cli/run/request_flags.h"
#include "server/cli/setting_flags.h"
#include "server/cli/usage_error.h"

namespace edgegate {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  edgegate serve\n"
    "  edgegate run edge-demo-v --image gauge.jpg \"What does the gauge read?\"\n"
    "  edgegate list\n"
    "  edgegate quantize glm-edge-1.5b-chat/ glm-edge-1.5b.edgegate\n"
    "  edgegate bench --shape glm-edge-1.5b\n"
    "edgegate COMMAND --help shows the options of a command.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 model cannot be loaded, 130 interrupted.";

// Breaks descriptions into lines.
class WrappedFormatter : public CLI::Formatter {
 public:
  WrappedFormatter() { column_width(kColumn); }
  std::string make_option_desc(const CLI::Option* option) const override {
    std::string out;
    size_t line = 0;
    for (const std::string& word : CLI::detail::split(option->get_description(), ' ')) {
      if (line > 0 && line + 1 + word.size() > kWidth - kColumn) {
        out += "\n";
        line = 0;
      } else if (line > 0) {
        out += " ";
        ++line;
      }
      out += word;
      line += word.size();
    }
    return out;
  }

 private:
  static constexpr size_t kColumn = 34, kWidth = 110;
};

void AddServe(CLI::App* serve, CommandLine* line) {
  serve
      ->add_option(
          "--model", line->models,
          "PATH or NAME=PATH of a bundle, directory, GGUF or GGUF+MMPROJ, or a name of `edgegate "
          "list`; repeat for several. Default: edge-demo-v and the models in engine.model_dir")
      ->allow_extra_args(false);
  serve
      ->add_option("--draft", line->drafts,
                   "draft model: a small model with the same vocabulary. PATH, or NAME=PATH if "
                   "several models are served; repeat for several")
      ->allow_extra_args(false);
  AddSettingFlags(Command::kServe, serve, line);
  serve->footer(
      "Examples:\n"
      "  edgegate serve\n"
      "  edgegate serve --model edge-demo-v --model chat=glm-edge-1.5b-chat/\n"
      "  edgegate serve --config /etc/edgegate/edgegate.toml --server.host 0.0.0.0\n"
      "  edgegate serve --model glm-edge-4b-chat/ --draft glm-edge-1.5b-chat/");
}

void AddRunOptions(CLI::App* run, RunArguments* arguments) {
  run->add_option(
      "model", arguments->model,
      "a name of `edgegate list`, or a bundle, directory, GGUF or GGUF+MMPROJ. Default: "
      "the first of `edgegate list`");
  run->add_option("prompt", arguments->prompt,
                  "the prompt. Text at standard input follows it; - is standard input alone. "
                  "Without a prompt, a terminal shows a chat");
  run->add_option("--image", arguments->images,
                  "JPEG, PNG or WebP file of an image; - is standard input; repeat for several")
      ->allow_extra_args(false)
      ->type_name("FILE");
  run->add_option("--system", arguments->system, "system message");
  run->add_option("--json-schema", arguments->json_schema,
                  "the answer is JSON that is valid under this JSON schema")
      ->type_name("FILE|JSON");
  run->add_option("--tool", arguments->tools,
                  "a function that the model may call; the call is printed as JSON; repeat for "
                  "several")
      ->allow_extra_args(false)
      ->type_name("FILE|JSON");
  run->add_option("--tool-choice", arguments->tool_choice,
                  "auto, none, required, or the name of the function to call [auto]")
      ->type_name("CHOICE");
  run->add_option("--draft", arguments->draft,
                  "draft model: a small model with the same vocabulary")
      ->type_name("MODEL");
  run->add_flag("--json", arguments->json,
                "print one JSON object with the answer, usage and timings");
}

void AddRun(CLI::App* run, CommandLine* line) {
  AddRunOptions(run, &line->run);
  for (const RequestFlag& flag : kRequestFlags) {
    run->add_option(flag.flag, line->run.members[flag.member], flag.description)
        ->type_name(flag.value)
        ->group("Sampling");
  }
  run->add_option("--stop", line->run.stop, "text that ends the answer; repeat for several")
      ->allow_extra_args(false)
      ->group("Sampling");
  AddSettingFlags(Command::kRun, run, line);
  run->footer(
      "Examples:\n"
      "  edgegate run                                        (a chat with the first model)\n"
      "  edgegate run glm-edge-1.5b-chat/ \"Why is the sky blue?\"\n"
      "  edgegate run edge-demo-v --image gauge.jpg \"What does the gauge read?\"\n"
      "  cat gauge.jpg | edgegate run edge-demo-v --image - \"What does the gauge read?\"\n"
      "  cat log.txt | edgegate run glm-edge-1.5b-chat/ \"Summarize this log:\"\n"
      "  edgegate run glm-edge-1.5b-chat/ \"Name a city.\" --json-schema schema.json\n"
      "  edgegate run glm-edge-1.5b-chat/ \"What is the weather in Paris?\" --tool weather.json");
}

void AddList(CLI::App* list, CommandLine* line) {
  list->add_flag("--json", line->list.json, "print JSON");
  list->add_flag("--names", line->list.names, "print the names only, one on each line");
  list->add_flag("--shapes", line->list.shapes,
                 "print the shapes of `edgegate bench` instead, one on each line");
  AddSettingFlags(Command::kList, list, line);
  list->footer("Examples:\n  edgegate list\n  edgegate list --config edgegate.toml --json");
}

void AddQuantize(CLI::App* quantize, CommandLine* line) {
  QuantizeArguments& arguments = line->quantize;
  quantize->add_option("source", arguments.source, "directory, GGUF or GGUF+MMPROJ")->required();
  quantize->add_option("destination", arguments.destination, "file to write")->required();
  quantize->add_option("--calibration", arguments.calibration, "text to calibrate with")
      ->type_name("FILE");
  quantize->add_option("--format", arguments.format, WeightFormatNames() + " [int8]");
  quantize->add_option("--head-format", arguments.head_format,
                       "format of the output matrix (lm_head): " + WeightFormatNames() + " [int8]");
  quantize->footer(
      "Examples:\n"
      "  edgegate quantize glm-edge-1.5b-chat/ glm-edge-1.5b.edgegate\n"
      "  edgegate quantize --format int4 SmolLM2.gguf smollm2.edgegate");
}

void AddBench(CLI::App* bench, CommandLine* line) {
  BenchArguments& arguments = line->bench;
  bench->add_option("--model", arguments.model,
                    "a name of `edgegate list`, or a bundle, directory, GGUF or GGUF+MMPROJ");
  bench->add_option(
      "--shape", arguments.shape,
      fmt::format("random weights of this shape: {}", fmt::join(RandomWeights::Shapes(), ", ")));
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
  AddSettingFlags(Command::kBench, bench, line);
  bench->footer(
      "Examples:\n"
      "  edgegate bench --shape glm-edge-1.5b\n"
      "  edgegate bench --model smollm2 --prompt 128 --batch 1,4,16 --json");
}

struct CommandInfo {
  Command command;
  const char* name;
  const char* description;
  void (*add)(CLI::App* app, CommandLine* line);
};

constexpr CommandInfo kCommands[] = {
    {Command::kServe, "serve", "serve models over HTTP", AddServe},
    {Command::kRun, "run", "answer one prompt, or chat, in the terminal", AddRun},
    {Command::kList, "list", "list the models that have a name", AddList},
    {Command::kQuantize, "quantize", "write a packed bundle", AddQuantize},
    {Command::kBench, "bench", "measure prefill and decode on this machine", AddBench},
};

}  // namespace

std::variant<CommandLine, int> ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app{"edgegate: a local inference daemon with an OpenAI-compatible API", "edgegate"};
  app.formatter(std::make_shared<WrappedFormatter>());
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_version_flag("--version", Version());
  CommandLine line;
  for (const CommandInfo& info : kCommands) {
    info.add(app.add_subcommand(info.name, info.description), &line);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::fputs(UsageError(app, error).c_str(), stderr);
    return kExitUsage;
  }
  for (const CommandInfo& info : kCommands) {
    if (app.got_subcommand(info.name)) line.command = info.command;
  }
  return line;
}

}  // namespace edgegate
