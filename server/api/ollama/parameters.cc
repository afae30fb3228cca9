#include "server/api/ollama/parameters.h"

#include <algorithm>
#include <utility>

#include "server/api/conversation/messages.h"
#include "server/api/inert_parameters.h"
#include "server/api/json/dump.h"
#include "server/api/stop_strings.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Kind = GrammarSpec::Kind;

constexpr int64_t kMaxTokens = int64_t{1} << 30;

void ParseStop(Fields* options, Call* call) {
  const json& stop = options->Raw("stop");
  if (stop.is_null()) return;
  ReadStopStrings(options, stop.is_string() ? json::array({stop}) : stop, options->Path("stop"),
                  call);
}

void ParseSampling(Fields* options, CallSampling* sampling) {
  sampling->temperature = options->Number("temperature", 0, 2);
  sampling->top_p = options->Number("top_p", 0, 1);
  if (sampling->top_p == 0.0f) {
    options->Fail(BadField("options.top_p", "Invalid 'options.top_p': must be above 0."));
  }
  sampling->min_p = options->Number("min_p", 0, 1);
  if (const auto k = options->Int("top_k", -1, int64_t{1} << 22)) {
    sampling->top_k = static_cast<int>(std::max<int64_t>(*k, 0));
  }
  sampling->repetition_penalty = options->Number("repeat_penalty", 0, 2);
  if (sampling->repetition_penalty == 0.0f) {
    options->Fail(
        BadField("options.repeat_penalty", "Invalid 'options.repeat_penalty': must be above 0."));
  }
  sampling->presence_penalty = options->Number("presence_penalty", -2, 2).value_or(0);
  sampling->frequency_penalty = options->Number("frequency_penalty", -2, 2).value_or(0);
  const auto seed = options->Int("seed", INT64_MIN, INT64_MAX);
  // -1: a random one, as without the option.
  if (seed && *seed != -1) sampling->seed = static_cast<uint64_t>(*seed);
}

}  // namespace

std::string OllamaModelName(std::string name) {
  constexpr std::string_view kTag = ":latest";
  if (name.size() > kTag.size() && name.ends_with(kTag)) name.resize(name.size() - kTag.size());
  return name;
}

void ParseOllamaOptions(Fields* fields, Call* call) {
  call->fit_max_tokens = true;
  call->max_tokens_field = "options.num_predict";
  const json& value = fields->Raw("options");
  if (value.is_null()) return;
  if (!value.is_object()) return fields->Fail(WrongType("options", "an object", value));
  Fields options(value, "options");
  ParseSampling(&options, &call->sampling);
  ParseStop(&options, call);
  // Below 0: as many as fit.
  const auto most = options.Int("num_predict", -2, kMaxTokens);
  if (most && *most >= 0) call->max_tokens = static_cast<int>(*most);
  ReadInertParameters(RequestKind::kOptions, &options);
  fields->Adopt(&options);
}

void ParseOllamaFormat(Fields* fields, Call* call) {
  const json& format = fields->Raw("format");
  if (format.is_null() || format == "") return;
  if (format == "json") {
    call->constraint = OutputConstraint{{Kind::kJsonSchema, kAnyObjectSchema}, "format"};
  } else if (format.is_object()) {
    call->constraint = OutputConstraint{{Kind::kJsonSchema, DumpJson(format)}, "format"};
  } else {
    fields->Fail(BadField("format", "Invalid 'format': expected 'json' or a JSON schema."));
  }
}

bool ParseOllamaLogprobs(Fields* fields, Call* call) {
  const bool wanted = fields->Bool("logprobs").value_or(false);
  const auto top = fields->Int("top_logprobs", 0, 20);
  if (wanted) call->sampling.top_logprobs = static_cast<int>(top.value_or(0));
  return wanted;
}

std::string ParseThink(Fields* fields) {
  const json& think = fields->Raw("think");
  json variables;
  if (think.is_boolean()) {
    variables = {{"enable_thinking", think}};
  } else if (think.is_string() && IsEffort(think.get<std::string>())) {
    SetEffort(think.get<std::string>(), &variables);
  } else if (!think.is_null()) {
    fields->Fail(BadField("think",
                          "Invalid 'think': expected true, false, 'low', 'medium' or "
                          "'high'."));
  }
  return variables.is_null() ? std::string() : DumpJson(variables);
}

bool ParseKeepAlive(Fields* fields, Warnings* warnings) {
  const json& value = fields->Raw("keep_alive");
  if (value.is_null()) return false;
  if (!value.is_string() && !value.is_number()) {
    fields->Fail(WrongType("keep_alive", "a number or a string", value));
  }
  warnings->Add("'keep_alive' has no effect: models stay loaded.");
  return value == 0 || value == "0" || value == "0s";
}

std::vector<ChatPart> ParseOllamaImages(Fields* fields, const json& images, const std::string& path,
                                        std::vector<ImageSource>* sources) {
  std::vector<ChatPart> parts;
  if (images.is_null()) return parts;
  if (!images.is_array()) {
    fields->Fail(WrongType(path, "an array of strings", images));
    return parts;
  }
  for (size_t i = 0; i < images.size(); ++i) {
    const std::string name = fmt::format("{}[{}]", path, i);
    if (!images[i].is_string()) {
      fields->Fail(WrongType(name, "a string", images[i]));
      return parts;
    }
    // The decoder finds the format of the file in its first bytes.
    sources->push_back({name, "data:image/jpeg;base64," + images[i].get<std::string>()});
    parts.push_back({ChatPart::Kind::kImage, ""});
  }
  return parts;
}

}  // namespace edgegate
