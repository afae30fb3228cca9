// A request for generated text: what every protocol's requests become. Knows neither HTTP nor JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/text/conversation.h"
#include "engine/text/grammar.h"
#include "engine/text/tools/call_structure.h"
#include "server/access/caller.h"

namespace edgegate {

// The place of an image of the conversation.
struct ImageSource {
  std::string field;  // path of the field that names it: "messages[0].content[1].image_url.url"
  std::string url;    // a data URL, or http(s)
};

// Texts to continue, each for itself. Token ids are used as they are.
using TextPrompt = std::variant<std::string, std::vector<int32_t>>;

// Sampling parameters. Absent: the model's default, or else that of OpenAI's API.
struct CallSampling {
  std::optional<float> temperature, top_p, min_p, repetition_penalty;
  std::optional<int> top_k;
  std::optional<uint64_t> seed;  // absent: a random one
  float presence_penalty = 0;
  float frequency_penalty = 0;
  std::vector<std::pair<int32_t, float>> logit_bias;  // token id, bias
  std::optional<int> top_logprobs;  // alternatives to report for each token; absent: no logprobs
};

// A grammar that the output must follow.
struct OutputConstraint {
  GrammarSpec grammar;
  std::string field;  // path of the field that gives it
};

// The tools that the answer may call.
struct CallTools {
  std::vector<CallableTool> tools;  // not empty
  bool required = false;            // the answer must call one
  bool parallel = true;             // it may call several at once
};

struct Call {
  Caller caller;
  std::string model;

  std::variant<Conversation, std::vector<TextPrompt>> input;
  std::string input_field;          // as the client calls it: "messages", "prompt"
  std::vector<ImageSource> images;  // of the conversation, in its order

  CallSampling sampling;
  int num_choices = 1;           // for each prompt
  bool prompt_logprobs = false;  // of the prompt's tokens too, where sampling.top_logprobs is set

  // Absent: `default_max_tokens`, or, where that is absent too, as many as the context has room
  // for. 0: the prompt is computed, and the token that this gives is dropped.
  std::optional<int> max_tokens;
  std::optional<int> default_max_tokens;
  std::string max_tokens_field = "max_tokens";
  std::vector<std::string> stop_strings;
  std::vector<int32_t> stop_token_ids;
  bool ignore_eos = false;
  std::optional<OutputConstraint> constraint;
  std::optional<CallTools> tools;      // absent: the answer calls none
  bool split_reasoning = false;        // thoughts are no content
  std::optional<int> thinking_tokens;  // of thoughts at most, where they are split

  bool skip_special_tokens = true;
  bool include_stop_string = false;  // in the text

  // Null: the call continues texts.
  const Conversation* conversation() const { return std::get_if<Conversation>(&input); }
  const std::vector<TextPrompt>* texts() const {
    return std::get_if<std::vector<TextPrompt>>(&input);
  }
  int num_prompts() const {
    return conversation() != nullptr ? 1 : static_cast<int>(texts()->size());
  }
};

}  // namespace edgegate
