// `edgegate run`: answers one prompt, or chats on a terminal.

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "engine/ops/isa/isa_cap.h"
#include "scheduler/queue_policy.h"
#include "server/cli/commands.h"
#include "server/cli/fail.h"
#include "server/cli/named_models.h"
#include "server/cli/run/chat_loop.h"
#include "server/cli/run/local_model.h"
#include "server/cli/run/read_input.h"
#include "server/cli/run/request_maker.h"
#include "server/cli/stop_signals.h"

namespace edgegate {
namespace {

int FailCall(const CallError& error, int code) {
  return Fail({error.status.code(), MessageWithFlag(error)}, code);
}

bool IsChat() { return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1; }

// Without a model and with one argument of several words, the argument is the prompt.
RunArguments WithPromptAlone(RunArguments arguments, const Settings& settings) {
  const bool words = arguments.model.find_first_of(" \n\t") != std::string::npos;
  if (arguments.prompt.empty() && words && !ResolveModel(arguments.model, settings).ok()) {
    arguments.prompt = std::exchange(arguments.model, "");
  }
  return arguments;
}

// Returns the model to load, with its draft model.
Result<ModelSetting> WantedModel(const RunArguments& arguments, const Settings& settings) {
  ModelSetting model;
  if (!arguments.model.empty()) {
    EG_ASSIGN_OR_RETURN(model, ResolveModel(arguments.model, settings));
  } else {
    std::vector<NamedModel> known = NamedModels(settings);
    if (known.empty()) return NotFound("there is no model: name one, as a file or a folder");
    model = std::move(known.front().setting);
  }
  const std::string& draft = arguments.draft.empty() ? model.draft : arguments.draft;
  if (draft.empty()) return model;
  EG_ASSIGN_OR_RETURN(const ModelSetting found, ResolveModel(draft, settings));
  model.draft = found.path;
  return model;
}

std::vector<std::string> Messages(const RunArguments& arguments, const RunInput& input) {
  std::vector<std::string> messages;
  if (!arguments.system.empty()) messages.push_back(SystemMessage(arguments.system));
  messages.push_back(UserMessage(input.prompt, input.images.size()));
  return messages;
}

// Makes the call for the model, or an error if the model has no chat template and the arguments
// need one.
std::variant<ParsedCall, CallError> MakeCall(const RunArguments& arguments, const RunInput& input,
                                             const RequestMaker& maker, const LocalModel& model) {
  if (model.has_chat_template()) return maker.MakeChat(Messages(arguments, input));
  if (!arguments.system.empty() || !arguments.tools.empty() || !input.images.empty()) {
    return CallError{InvalidArgument(
        "the model {} takes text only: it has no chat template, which --system, --tool and "
        "--image need",
        model.served().name)};
  }
  return maker.MakeText(input.prompt);
}

void PrintWarnings(const Warnings& warnings) {
  for (const std::string& warning : warnings.list()) {
    std::fprintf(stderr, "edgegate: %s\n", warning.c_str());
  }
}

int AnswerOnce(const RunArguments& arguments, const RunInput& input, const RequestMaker& maker,
               const StopSignals& signals, LocalModel* model) {
  std::vector<PromptMedia> images;
  for (size_t i = 0; i < input.images.size(); ++i) {
    auto image = model->PrepareImage(input.images[i]);
    if (!image.ok()) return Fail(image.status().WithContext(input.image_names[i]), kExitFailure);
    images.push_back(*std::move(image));
  }
  const auto made = MakeCall(arguments, input, maker, *model);
  if (const auto* error = std::get_if<CallError>(&made)) return FailCall(*error, kExitUsage);
  const auto& parsed = std::get<ParsedCall>(made);
  PrintWarnings(parsed.warnings);
  AnswerPrinter printer;
  const auto answered = model->Answer(
      parsed, std::move(images), [&] { return signals.pending(); },
      arguments.json ? nullptr : &printer);
  if (const auto* error = std::get_if<CallError>(&answered)) return FailCall(*error, kExitFailure);
  const auto& answer = std::get<LocalAnswer>(answered);
  if (arguments.json) {
    std::printf("%s\n", FlatAnswer(answer.json).c_str());
  } else {
    printer.End();
  }
  if (answer.stopped()) return kExitInterrupted;
  if (answer.end == ChoiceEnd::kLength) {
    std::fprintf(stderr, "edgegate: the answer was cut at its largest length (--max-tokens)\n");
  }
  return kExitOk;
}

}  // namespace

int RunPrompt(const Settings& settings, const RunArguments& given) {
  if (Status status = SetIsaCap(settings.isa); !status.ok()) return Fail(status, kExitUsage);
  if (Status status = CheckQueuePolicy(settings.queue_policy); !status.ok()) {
    return Fail(status, kExitUsage);
  }
  const RunArguments arguments = WithPromptAlone(given, settings);
  const size_t most = MaxInputBytes(settings);
  auto maker = RequestMaker::Make(arguments, most);
  if (!maker.ok()) return Fail(maker.status(), kExitUsage);
  auto input = ReadRunInput(arguments, most);
  if (!input.ok()) {
    return Fail(input.status(),
                input.status().code() == StatusCode::kNotFound ? kExitFailure : kExitUsage);
  }
  const bool chats = input->prompt.empty() && IsChat() && !arguments.json;
  if (input->prompt.empty() && !chats) {
    return Fail(InvalidArgument("no prompt: give it as an argument or at standard input"),
                kExitUsage);
  }
  // Errors of the flags are found before the model is loaded, which may take minutes.
  const auto checked = maker->MakeChat(Messages(arguments, *input));
  if (const auto* error = std::get_if<CallError>(&checked)) return FailCall(*error, kExitUsage);
  const auto setting = WantedModel(arguments, settings);
  if (!setting.ok()) return Fail(setting.status(), kExitModel);
  const StopSignals signals;  // made before the threads, so that no thread gets the signals
  auto model = LocalModel::Load(*setting, settings, [&] { return signals.pending(); });
  if (!model.ok()) return Fail(model.status(), kExitModel);
  if (!chats) return AnswerOnce(arguments, *input, *maker, signals, model->get());
  return ChatLoop(arguments, *input, *maker, signals, most, model->get()).Run();
}

}  // namespace edgegate
