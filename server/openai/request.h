// A parsed request to /v1/chat/completions or /v1/completions. Pure: text in, a struct or an
// ApiError out; every field's type and range is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/sampling/sampling_params.h"
#include "engine/text/grammar.h"
#include "server/openai/errors.h"
#include "server/openai/json_reader.h"

namespace edgegate {

struct RequestLimits {
  JsonLimits json;
  int max_n = 16;
  int max_stops = 16;
  size_t max_stop_bytes = 1024;  // of one stop string
  int max_stop_token_ids = 1024;
};

using Prompt = std::variant<std::string, std::vector<int32_t>>;

// A picture that a message shows, where the client says it is.
struct ImageUrl {
  std::string param;  // "messages[0].content[1].image_url.url"
  std::string url;    // a data URL, or http(s)
};

struct ApiRequest {
  // Not of the body.
  std::string tenant;  // which API key it came with; "" where none is asked for
  std::string client;  // for fairness: the key, or the address where none is asked for
  bool chat = false;
  std::string model;
  // Chat.
  std::string messages_json;     // as ChatTemplateInput has it
  std::vector<ImageUrl> images;  // in the messages' order
  std::string template_kwargs_json;
  bool add_generation_prompt = true;
  // Completions.
  std::vector<Prompt> prompts;
  bool echo = false;
  // Both. What is absent here is the model's default, or the API's.
  std::optional<float> temperature, top_p, min_p, repetition_penalty;
  std::optional<int> top_k;
  SamplingParams sampling;  // the rest of it
  std::optional<uint64_t> seed;
  std::optional<int> max_tokens;
  std::string max_tokens_name = "max_tokens";  // as the client called it
  int n = 1;
  bool stream = false;
  bool include_usage = false;
  std::optional<int> logprobs;  // alternatives
  std::vector<std::string> stop;
  std::vector<int32_t> stop_token_ids;
  bool ignore_eos = false;
  std::optional<GrammarSpec> grammar;  // what the output must follow
  std::string grammar_param;           // as the client called it
  bool skip_special_tokens = true;
  bool include_stop_str_in_output = false;
  bool return_token_ids = false;
  bool return_tokens_as_token_ids = false;
};

std::variant<ApiRequest, ApiError> ParseRequest(std::string_view body, bool chat,
                                                const RequestLimits& limits);

}  // namespace edgegate
