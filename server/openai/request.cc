#include "server/openai/request.h"

#include <nlohmann/json.hpp>

#include "server/openai/fields.h"
#include "server/openai/json_reader.h"
#include "server/openai/messages.h"
#include "server/openai/response_format.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;

constexpr int64_t kMaxToken = int64_t{1} << 22;
constexpr int64_t kMaxTokens = int64_t{1} << 30;

// A list of token ids, or nothing when it is something else.
std::optional<std::vector<int32_t>> TokenIds(const json& value) {
  std::vector<int32_t> ids;
  if (!value.is_array()) return std::nullopt;
  for (const json& id : value) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= kMaxToken) return std::nullopt;
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

void ParsePrompt(Fields* f, ApiRequest* r) {
  const json& prompt = f->Raw("prompt");
  auto add = [&](const json& one) {
    if (one.is_string()) {
      r->prompts.emplace_back(one.get<std::string>());
      return true;
    }
    auto ids = TokenIds(one);
    if (!ids) return false;
    r->prompts.emplace_back(*std::move(ids));
    return true;
  };
  if (prompt.is_null()) {
    return f->Fail(
        BadParam("prompt", "Missing required parameter: 'prompt'.", "missing_required_parameter"));
  }
  bool valid = true;
  const bool list = prompt.is_array() && !prompt.empty() && !prompt[0].is_number();
  if (list) {
    for (const json& one : prompt) valid = valid && add(one);
  } else {
    valid = add(prompt);
  }
  if (!valid) {
    f->Fail(BadParam("prompt",
                     "Invalid 'prompt': expected a string, an array of strings, an array "
                     "of token ids, or an array of such arrays."));
  }
  if (r->prompts.size() > 128) f->Fail(BadParam("prompt", "Invalid 'prompt': more than 128."));
}

void ParseStop(Fields* f, const RequestLimits& limits, ApiRequest* r) {
  const json& stop = f->Raw("stop");
  if (stop.is_string()) {
    r->stop = {stop.get<std::string>()};
  } else if (stop.is_array()) {
    for (const json& one : stop) {
      if (!one.is_string()) {
        f->Fail(BadParam("stop", "Invalid 'stop': expected a string or an array of strings."));
        return;
      }
      r->stop.push_back(one.get<std::string>());
    }
  } else if (!stop.is_null()) {
    f->Fail(BadParam("stop", "Invalid 'stop': expected a string or an array of strings."));
  }
  for (const std::string& one : r->stop) {
    if (one.empty()) f->Fail(BadParam("stop", "Invalid 'stop': a stop string is empty."));
    if (one.size() > limits.max_stop_bytes) {
      f->Fail(BadParam("stop", fmt::format("Invalid 'stop': a stop string has more than {} bytes.",
                                           limits.max_stop_bytes)));
    }
  }
  if (static_cast<int>(r->stop.size()) > limits.max_stops) {
    f->Fail(BadParam("stop", fmt::format("Invalid 'stop': at most {}.", limits.max_stops)));
  }
  const json& ids = f->Raw("stop_token_ids");
  if (ids.is_null()) return;
  const auto parsed = TokenIds(ids);
  if (!parsed) f->Fail(BadParam("stop_token_ids", "Invalid 'stop_token_ids': expected token ids."));
  r->stop_token_ids = parsed.value_or(std::vector<int32_t>());
  if (static_cast<int>(r->stop_token_ids.size()) > limits.max_stop_token_ids) {
    f->Fail(BadParam("stop_token_ids", fmt::format("Invalid 'stop_token_ids': at most {}.",
                                                   limits.max_stop_token_ids)));
  }
}

void ParseLogitBias(Fields* f, ApiRequest* r) {
  const json& bias = f->Raw("logit_bias");
  if (bias.is_null()) return;
  auto fail = [&](const std::string& what) {
    f->Fail(BadParam("logit_bias", "Invalid 'logit_bias': " + what));
  };
  if (!bias.is_object()) return fail("expected an object of token ids and numbers.");
  for (const auto& [key, value] : bias.items()) {
    char* end = nullptr;
    const long id = key.empty() || key.size() > 8 ? -1 : std::strtol(key.c_str(), &end, 10);
    if (id < 0 || id >= kMaxToken || *end != '\0') return fail("'" + key + "' is no token id.");
    if (!value.is_number()) return fail("the bias of " + key + " is no number.");
    const double number = value.get<double>();
    if (!(number >= -100 && number <= 100)) return fail("a bias must be between -100 and 100.");
    r->sampling.logit_bias.emplace_back(static_cast<int32_t>(id), static_cast<float>(number));
  }
}

void ParseSampling(Fields* f, ApiRequest* r) {
  r->temperature = f->Number("temperature", 0, 2);
  r->top_p = f->Number("top_p", 0, 1);
  if (r->top_p == 0.0f) f->Fail(BadParam("top_p", "Invalid 'top_p': must be above 0."));
  r->min_p = f->Number("min_p", 0, 1);
  r->repetition_penalty = f->Number("repetition_penalty", 0, 2);
  if (r->repetition_penalty == 0.0f) {
    f->Fail(BadParam("repetition_penalty", "Invalid 'repetition_penalty': must be above 0."));
  }
  r->sampling.presence_penalty = f->Number("presence_penalty", -2, 2).value_or(0);
  r->sampling.frequency_penalty = f->Number("frequency_penalty", -2, 2).value_or(0);
  if (const auto k = f->Int("top_k", -1, kMaxToken)) {
    r->top_k = static_cast<int>(std::max<int64_t>(*k, 0));
  }
  if (const auto seed = f->Int("seed", INT64_MIN, INT64_MAX)) {
    r->seed = static_cast<uint64_t>(*seed);
  }
  ParseLogitBias(f, r);
}

void ParseLengths(Fields* f, const RequestLimits& limits, ApiRequest* r) {
  const int64_t least = r->chat ? 1 : 0;
  const auto old_name = f->Int("max_tokens", least, kMaxTokens);
  const auto new_name = f->Int("max_completion_tokens", least, kMaxTokens);
  if (old_name && new_name && *old_name != *new_name) {
    f->Fail(BadParam("max_tokens", "'max_tokens' and 'max_completion_tokens' differ."));
  }
  if (new_name) r->max_tokens_name = "max_completion_tokens";
  if (const auto most = new_name ? new_name : old_name) r->max_tokens = static_cast<int>(*most);
  if (r->max_tokens == 0 && !r->echo) {
    f->Fail(BadParam(r->max_tokens_name, "0 tokens can be asked for only with 'echo'."));
  }
  r->n = static_cast<int>(f->Int("n", 1, limits.max_n).value_or(1));
}

void ParseLogprobs(Fields* f, ApiRequest* r) {
  if (!r->chat) {
    if (const auto count = f->Int("logprobs", 0, 20)) r->logprobs = static_cast<int>(*count);
    return;
  }
  const bool wanted = f->Bool("logprobs").value_or(false);
  const auto top = f->Int("top_logprobs", 0, 20);
  if (top && *top > 0 && !wanted) {
    f->Fail(BadParam("top_logprobs", "'top_logprobs' needs 'logprobs' to be true."));
  }
  if (wanted) r->logprobs = static_cast<int>(top.value_or(0));
}

void ParseOutput(Fields* f, ApiRequest* r) {
  r->stream = f->Bool("stream").value_or(false);
  const json& options = f->Raw("stream_options");
  if (!options.is_null()) {
    if (!options.is_object()) {
      f->Fail(BadParam("stream_options", "Invalid 'stream_options': expected an object."));
    } else if (!r->stream) {
      f->Fail(BadParam("stream_options", "'stream_options' needs 'stream' to be true."));
    } else {
      Fields inner(options);
      r->include_usage = inner.Bool("include_usage").value_or(false);
      inner.Bool("include_obfuscation");
      if (inner.error()) f->Fail(*inner.error());
      if (const auto unread = inner.Unread()) {
        f->Fail(BadParam("stream_options." + *unread,
                         "Unrecognized request argument supplied: stream_options." + *unread));
      }
    }
  }
  r->ignore_eos = f->Bool("ignore_eos").value_or(false);
  ParseResponseFormat(f, r);
  if (r->ignore_eos && r->grammar) {
    f->Fail(BadParam("ignore_eos", "'ignore_eos' cannot be used where the output must follow '" +
                                       r->grammar_param + "'."));
  }
  r->skip_special_tokens = f->Bool("skip_special_tokens").value_or(true);
  r->include_stop_str_in_output = f->Bool("include_stop_str_in_output").value_or(false);
  r->return_token_ids = f->Bool("return_token_ids").value_or(false);
  r->return_tokens_as_token_ids = f->Bool("return_tokens_as_token_ids").value_or(false);
}

void ParseChat(Fields* f, ApiRequest* r) {
  r->messages_json = ParseMessages(f, &r->images);
  r->add_generation_prompt = f->Bool("add_generation_prompt").value_or(true);
  const json& kwargs = f->Raw("chat_template_kwargs");
  if (kwargs.is_object()) {
    r->template_kwargs_json = kwargs.dump(-1, ' ', false, json::error_handler_t::replace);
  } else if (!kwargs.is_null()) {
    f->Fail(
        BadParam("chat_template_kwargs", "Invalid 'chat_template_kwargs': expected an object."));
  }
  const json& tools = f->Raw("tools");
  if (!tools.is_null() && !(tools.is_array() && tools.empty())) {
    f->Fail(BadParam("tools", "'tools' is not supported."));
  }
  const json& choice = f->Raw("tool_choice");
  if (!choice.is_null() && choice != "none") {
    f->Fail(BadParam("tool_choice", "'tool_choice' is not supported."));
  }
}

void ParseCompletion(Fields* f, ApiRequest* r) {
  ParsePrompt(f, r);
  r->echo = f->Bool("echo").value_or(false);
}

// Members that change nothing of the answer are read and let pass; members that would, and are not
// supported, are refused by Unread().
void PassHarmless(Fields* f, int n) {
  for (const char* name : {"user", "metadata", "service_tier", "parallel_tool_calls",
                           "safety_identifier", "prompt_cache_key"}) {
    f->Raw(name);
  }
  if (f->Bool("store").value_or(false)) f->Fail(BadParam("store", "'store' is not supported."));
  const auto best_of = f->Int("best_of", 1, 128);
  if (best_of && *best_of != n) f->Fail(BadParam("best_of", "'best_of' is not supported."));
}

}  // namespace

std::variant<ApiRequest, ApiError> ParseRequest(std::string_view body, bool chat,
                                                const RequestLimits& limits) {
  auto read = ReadJson(body, limits.json);
  if (auto* error = std::get_if<ApiError>(&read)) return *std::move(error);
  const json root = std::get<json>(std::move(read));
  if (!root.is_object()) return BadParam("", "The body must be a JSON object.", "invalid_json");
  ApiRequest r;
  r.chat = chat;
  Fields f(root);
  const auto model = f.String("model");
  if (!model && !f.error()) {
    return BadParam("model", "you must provide a model parameter", "missing_required_parameter");
  }
  r.model = model.value_or("");
  chat ? ParseChat(&f, &r) : ParseCompletion(&f, &r);
  ParseLengths(&f, limits, &r);
  ParseSampling(&f, &r);
  ParseLogprobs(&f, &r);
  ParseStop(&f, limits, &r);
  ParseOutput(&f, &r);
  PassHarmless(&f, r.n);
  if (f.error()) return *f.error();
  if (const auto unread = f.Unread()) {
    return BadParam(*unread, "Unrecognized request argument supplied: " + *unread,
                    "unknown_parameter");
  }
  return r;
}

}  // namespace edgegate
