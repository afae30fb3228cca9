#include "server/api/openai/parameters.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "server/api/openai/response_format.h"
#include "server/api/stop_strings.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr int64_t kMaxToken = int64_t{1} << 22;
constexpr int64_t kMaxTokens = int64_t{1} << 30;
constexpr int kMaxChoices = 16;
constexpr int kMaxStopTokenIds = 1024;

void ParseStreamOptions(Fields* fields, OutputOptions* output) {
  const json& options = fields->Raw("stream_options");
  if (options.is_null()) return;
  if (!options.is_object()) {
    return fields->Fail(
        BadField("stream_options", "Invalid 'stream_options': expected an object."));
  }
  if (!output->stream) {
    return fields->Fail(BadField("stream_options", "'stream_options' needs 'stream' to be true."));
  }
  Fields inner(options, "stream_options");
  output->include_usage = inner.Bool("include_usage").value_or(false);
  output->continuous_usage = inner.Bool("continuous_usage_stats").value_or(false);
  // Chunks are never padded.
  if (inner.Bool("include_obfuscation").value_or(false)) {
    inner.warnings().NoEffect("stream_options.include_obfuscation");
  }
  fields->Adopt(&inner);
}

// Reads the penalty of repetition, which llama.cpp calls `repeat_penalty`.
std::optional<float> ParseRepetitionPenalty(Fields* fields) {
  std::optional<float> penalty;
  for (const char* name : {"repetition_penalty", "repeat_penalty"}) {
    const auto read = fields->Number(name, 0, 2);
    if (!read) continue;
    if (*read == 0.0f) {
      fields->Fail(BadField(name, fmt::format("Invalid '{}': must be above 0.", name)));
    }
    if (penalty && *penalty != *read) {
      fields->Fail(BadField(name, "'repetition_penalty' and 'repeat_penalty' differ."));
    }
    penalty = read;
  }
  return penalty;
}

// Reads the limit of the answer's length under its three names.
void ParseMaxTokens(Fields* fields, int64_t least, Call* call) {
  const auto old_name = fields->Int("max_tokens", least, kMaxTokens);
  const auto new_name = fields->Int("max_completion_tokens", least, kMaxTokens);
  if (old_name && new_name && *old_name != *new_name) {
    fields->Fail(BadField("max_tokens", "'max_tokens' and 'max_completion_tokens' differ."));
  }
  const auto llama = fields->Int("n_predict", -2, kMaxTokens);
  if (llama && *llama >= 0 && *llama < least) {
    fields->Fail(BadField("n_predict", "Invalid 'n_predict': must be above 0, or -1."));
  }
  call->fit_max_tokens = true;
  if (new_name || old_name) {
    call->max_tokens = static_cast<int>(*(new_name ? new_name : old_name));
    if (new_name) call->max_tokens_field = "max_completion_tokens";
  } else if (llama) {
    // Below 0: as many as fit.
    call->max_tokens = static_cast<int>(*llama < 0 ? kMaxTokens : *llama);
    call->max_tokens_field = "n_predict";
  }
}

// Reads vLLM's `min_tokens`.
void ParseMinTokens(Fields* fields, Call* call) {
  const auto least = fields->Int("min_tokens", 0, kMaxTokens);
  if (!least) return;
  call->min_tokens = static_cast<int>(*least);
  if (call->max_tokens && call->min_tokens > *call->max_tokens) {
    fields->Fail(BadField("min_tokens", fmt::format("Invalid 'min_tokens': it is above '{}'.",
                                                    call->max_tokens_field)));
  }
}

void ParseLogitBias(Fields* fields, Call* call) {
  const json& bias = fields->Raw("logit_bias");
  if (bias.is_null()) return;
  auto fail = [&](const std::string& what) {
    fields->Fail(BadField("logit_bias", "Invalid 'logit_bias': " + what));
  };
  if (!bias.is_object()) return fail("expected an object of token ids and numbers.");
  for (const auto& [key, value] : bias.items()) {
    char* end = nullptr;
    const long id = key.empty() || key.size() > 8 ? -1 : std::strtol(key.c_str(), &end, 10);
    if (id < 0 || id >= kMaxToken || *end != '\0') return fail("'" + key + "' is no token id.");
    if (!value.is_number()) return fail("the bias of " + key + " is no number.");
    const double number = value.get<double>();
    if (!(number >= -100 && number <= 100)) return fail("a bias must be between -100 and 100.");
    call->sampling.logit_bias.emplace_back(static_cast<int32_t>(id), static_cast<float>(number));
  }
}

}  // namespace

void ParseModel(Fields* fields, Call* call) { call->model = fields->String("model").value_or(""); }

std::optional<std::vector<int32_t>> TokenIds(const json& value) {
  std::vector<int32_t> ids;
  if (!value.is_array()) return std::nullopt;
  for (const json& id : value) {
    const auto integer = IntegerOf(id);
    if (!integer || *integer < 0 || *integer >= kMaxToken) return std::nullopt;
    ids.push_back(static_cast<int32_t>(*integer));
  }
  return ids;
}

void ParseLengths(Fields* fields, int64_t least, Call* call) {
  ParseMaxTokens(fields, least, call);
  ParseMinTokens(fields, call);
  call->num_choices = static_cast<int>(fields->Int("n", 1, kMaxChoices).value_or(1));
}

void ParseSampling(Fields* fields, Call* call) {
  CallSampling& s = call->sampling;
  s.temperature = fields->Number("temperature", 0, 2);
  s.top_p = fields->Number("top_p", 0, 1);
  if (s.top_p == 0.0f) fields->Fail(BadField("top_p", "Invalid 'top_p': must be above 0."));
  s.min_p = fields->Number("min_p", 0, 1);
  s.repetition_penalty = ParseRepetitionPenalty(fields);
  s.presence_penalty = fields->Number("presence_penalty", -2, 2).value_or(0);
  s.frequency_penalty = fields->Number("frequency_penalty", -2, 2).value_or(0);
  if (const auto k = fields->Int("top_k", -1, kMaxToken)) {
    s.top_k = static_cast<int>(std::max<int64_t>(*k, 0));
  }
  if (const auto seed = fields->Int("seed", INT64_MIN, INT64_MAX)) {
    s.seed = static_cast<uint64_t>(*seed);
  }
  ParseLogitBias(fields, call);
}

void ParseStop(Fields* fields, Call* call) {
  const json& stop = fields->Raw("stop");
  if (stop.is_string()) {
    call->stop_strings = {stop.get<std::string>()};
  } else if (stop.is_array()) {
    for (const json& one : stop) {
      if (!one.is_string()) {
        fields->Fail(BadField("stop", "Invalid 'stop': expected a string or an array of strings."));
        return;
      }
      call->stop_strings.push_back(one.get<std::string>());
    }
  } else if (!stop.is_null()) {
    fields->Fail(BadField("stop", "Invalid 'stop': expected a string or an array of strings."));
  }
  for (const std::string& one : call->stop_strings) {
    if (one.empty()) fields->Fail(BadField("stop", "Invalid 'stop': a stop string is empty."));
    if (one.size() > kMaxStopBytes) {
      fields->Fail(BadField(
          "stop",
          fmt::format("Invalid 'stop': a stop string has more than {} bytes.", kMaxStopBytes)));
    }
  }
  if (call->stop_strings.size() > kMaxStops) {
    fields->Fail(BadField("stop", fmt::format("Invalid 'stop': at most {}.", kMaxStops)));
  }
  const json& ids = fields->Raw("stop_token_ids");
  if (ids.is_null()) return;
  const auto parsed = TokenIds(ids);
  if (!parsed)
    fields->Fail(BadField("stop_token_ids", "Invalid 'stop_token_ids': expected token ids."));
  call->stop_token_ids = parsed.value_or(std::vector<int32_t>());
  if (static_cast<int>(call->stop_token_ids.size()) > kMaxStopTokenIds) {
    fields->Fail(BadField("stop_token_ids",
                          fmt::format("Invalid 'stop_token_ids': at most {}.", kMaxStopTokenIds)));
  }
}

void ParseOutput(Fields* fields, Call* call, OutputOptions* output) {
  output->stream = fields->Bool("stream").value_or(false);
  ParseStreamOptions(fields, output);
  call->ignore_eos = fields->Bool("ignore_eos").value_or(false);
  call->constraint = ParseResponseFormat(fields);
  if (call->ignore_eos && call->constraint) {
    fields->Fail(
        BadField("ignore_eos", "'ignore_eos' cannot be used where the output must follow '" +
                                   call->constraint->field + "'."));
  }
  if (call->min_tokens > 0 && call->constraint) {
    fields->Fail(
        BadField("min_tokens", "'min_tokens' cannot be used where the output must follow '" +
                                   call->constraint->field + "'."));
  }
  output->timings_per_token = fields->Bool("timings_per_token").value_or(false);
  call->skip_special_tokens = fields->Bool("skip_special_tokens").value_or(true);
  call->include_stop_string = fields->Bool("include_stop_str_in_output").value_or(false);
  output->return_token_ids = fields->Bool("return_token_ids").value_or(false);
  output->return_tokens_as_token_ids = fields->Bool("return_tokens_as_token_ids").value_or(false);
}

void ParseBestOf(Fields* fields, int num_choices) {
  const auto best_of = fields->Int("best_of", 1, 128);
  if (best_of && *best_of != num_choices) {
    fields->Fail(BadField("best_of", "'best_of' is only supported where it equals 'n'."));
  }
}

}  // namespace edgegate
