// A request for generated text, in a form that is the same for all protocols. Contains neither HTTP
// nor JSON.
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

// The source of an image of the conversation, or of a video, whose frames become images.
struct ImageSource {
  std::string field;  // path of the field that names it: "messages[0].content[1].image_url.url"
  std::string url;    // a data URL, or http(s); of a video also base64
  bool video = false;
};

// The frames that a call wants of its videos.
struct VideoWish {
  std::optional<int> num_frames;      // at most
  std::optional<double> fps;          // at most; of a list of JPEG files: their rate
  std::optional<bool> contact_sheet;  // several frames in one image; absent: as the server is set
};

// A text to continue. Token ids are used unchanged.
using TextPrompt = std::variant<std::string, std::vector<int32_t>>;

// Sampling parameters. An absent parameter has the model's default, or else the default of OpenAI's
// API.
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

// The JSON schema of any object.
inline constexpr const char* kAnyObjectSchema = R"({"type": "object"})";

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
  std::string input_field;          // the request's field for the input: "messages" or "prompt"
  bool drop_turns = false;          // the oldest turns are left out if the input is too long
  std::vector<ImageSource> images;  // of the conversation, in its order
  VideoWish video;                  // of all videos among them

  CallSampling sampling;
  int num_choices = 1;           // number of choices for each prompt
  bool prompt_logprobs = false;  // of the prompt's tokens too, where sampling.top_logprobs is set

  // Absent: `default_max_tokens`. If that is absent too: the room that the context has. 0: the
  // prompt is computed and no token is returned.
  std::optional<int> max_tokens;
  std::optional<int> default_max_tokens;
  std::string max_tokens_field = "max_tokens";
  bool fit_max_tokens = false;  // max_tokens beyond the context is cut to the room that it has
  // No end-of-text token, stop token or stop string ends the answer before this number of tokens.
  int min_tokens = 0;
  std::vector<std::string> stop_strings;
  std::vector<int32_t> stop_token_ids;
  bool ignore_eos = false;
  std::optional<OutputConstraint> constraint;
  std::optional<CallTools> tools;      // absent: the answer calls none
  bool split_reasoning = false;        // thoughts are split from the content
  std::optional<int> thinking_tokens;  // upper limit for thoughts that are split; absent: none

  bool skip_special_tokens = true;
  bool include_stop_string = false;  // the text of the answer includes the stop string

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
