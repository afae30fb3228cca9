#include "server/generation.h"

#include <algorithm>
#include <random>

namespace edgegate {
namespace {

constexpr int kDefaultCompletionTokens = 16;
constexpr int kTokensBeyondContext = 4096;  // counted at most, for the message
// A normalizer makes a text at most so much shorter: NFC joins up to three characters to one.
constexpr int64_t kNormalizing = 4;

SamplingParams MakeSampling(const ApiRequest& r, const GenerationDefaults& defaults) {
  SamplingParams p = r.sampling;
  p.temperature = r.temperature.value_or(defaults.temperature.value_or(1.0f));
  p.top_p = r.top_p.value_or(defaults.top_p.value_or(1.0f));
  p.top_k = r.top_k.value_or(defaults.top_k.value_or(0));
  p.min_p = r.min_p.value_or(defaults.min_p.value_or(0.0f));
  p.repetition_penalty = r.repetition_penalty.value_or(defaults.repetition_penalty.value_or(1.0f));
  if (r.seed) {
    p.seed = *r.seed;
  } else {
    std::random_device device;
    p.seed = uint64_t{device()} << 32 | device();
  }
  p.num_top_logprobs = r.logprobs.value_or(-1);
  return p;
}

const char* PromptParam(const ApiRequest& r) { return r.chat ? "messages" : "prompt"; }

ApiError TooLong(const ApiRequest& r, const ServedModel& model, const std::string& size) {
  return BadParam(PromptParam(r),
                  fmt::format("This model's maximum context length is {} tokens. However, the {} "
                              "{}. Please reduce the length of the {}.",
                              model.limits.max_model_len, PromptParam(r), size, PromptParam(r)),
                  "context_length_exceeded");
}

// A text of so many bytes has more tokens than the context, whatever it is.
std::optional<ApiError> CheckBytes(const ApiRequest& r, const ServedModel& model, size_t bytes) {
  const int64_t most =
      kNormalizing * model.limits.max_model_len * std::max(1, model.text->vocabulary().longest());
  if (static_cast<int64_t>(bytes) <= most) return std::nullopt;
  return TooLong(r, model, fmt::format("have {} bytes; at most {} are read", bytes, most));
}

// `images` get their positions.
Result<std::vector<int32_t>> Tokenize(const ApiRequest& r, const ServedModel& model,
                                      const Prompt* prompt, std::vector<PromptImage>* images,
                                      const JobContext& context) {
  const int64_t most = int64_t{model.limits.max_model_len} + kTokensBeyondContext;
  if (r.chat) {
    ChatTemplateInput input;
    input.messages_json = r.messages_json;
    input.kwargs_json = r.template_kwargs_json;
    input.add_generation_prompt = r.add_generation_prompt;
    input.num_images = static_cast<int>(images->size());
    input.max_tokens = most;
    EG_ASSIGN_OR_RETURN(ChatPrompt encoded, model.text->EncodeChat(input, context));
    for (size_t i = 0; i < images->size(); ++i) {
      (*images)[i].position = encoded.image_positions[i];
    }
    return std::move(encoded.ids);
  }
  if (const auto* ids = std::get_if<std::vector<int32_t>>(prompt)) return *ids;
  return model.text->EncodeText(std::get<std::string>(*prompt), most, context);
}

std::optional<ApiError> CheckTokenIds(const ApiRequest& r, const ServedModel& model) {
  const int vocab = model.limits.vocab_size;
  for (int32_t id : r.stop_token_ids) {
    if (id >= vocab) {
      return BadParam("stop_token_ids", fmt::format("Invalid 'stop_token_ids': {} is not in the "
                                                    "vocabulary of {}.",
                                                    id, vocab));
    }
  }
  for (auto [id, bias] : r.sampling.logit_bias) {
    if (id >= vocab) {
      return BadParam("logit_bias", fmt::format("Invalid 'logit_bias': {} is not in the vocabulary "
                                                "of {}.",
                                                id, vocab));
    }
  }
  return std::nullopt;
}

// How many tokens to generate after a prompt, or why the two do not fit the context.
std::optional<ApiError> FitContext(const ApiRequest& r, const ServedModel& model, int prompt,
                                   int* max_tokens) {
  const int context = model.limits.max_model_len;
  const char* param = PromptParam(r);
  const int asked = std::max(1, r.max_tokens.value_or(1));
  if (int64_t{prompt} + asked > context) {
    return BadParam(
        r.max_tokens && prompt < context ? r.max_tokens_name : param,
        fmt::format("This model's maximum context length is {} tokens. However, you requested {} "
                    "tokens ({} in the {}, {} in the completion). Please reduce the length of the "
                    "{} or completion.",
                    context, int64_t{prompt} + asked, prompt, param, asked, param),
        "context_length_exceeded");
  }
  const int usual =
      r.chat ? context - prompt : std::min(kDefaultCompletionTokens, context - prompt);
  *max_tokens = r.max_tokens ? asked : usual;
  return std::nullopt;
}

}  // namespace

std::optional<ApiError> Generation::Start(const ApiRequest& r, const ServedModel& model,
                                          std::vector<PromptImage> images, EngineLoop* engine,
                                          std::optional<TimePoint> deadline,
                                          const JobContext& context,
                                          std::unique_ptr<Generation>* out) {
  std::unique_ptr<Generation> generation(new Generation(r));
  std::vector<GenerationRequest> requests;
  for (size_t i = 0; i < (r.chat ? 1 : r.prompts.size()); ++i) {
    GenerationRequest request;
    if (auto error = generation->AddPrompt(i, model, std::move(images), context, &request)) {
      return error;
    }
    images.clear();
    request.deadline = deadline;
    requests.push_back(std::move(request));
  }
  if (r.grammar) {
    auto started = model.text->StartGrammar(*r.grammar, context);
    if (!started.ok()) return FromReading(r.grammar_param, started.status());
    const std::shared_ptr<const TokenConstraint> constraint = *std::move(started);
    for (GenerationRequest& request : requests) request.constraint = constraint;
  }
  generation->open_ = static_cast<int>(requests.size()) * r.n;
  auto handle = engine->Submit(model.engine_index, std::move(requests));
  if (!handle.ok()) return FromStatus(handle.status());
  generation->handle_ = *std::move(handle);
  for (int i = 0; i < generation->open_; ++i) {
    generation->choices_.push_back(
        {std::make_unique<TextAssembler>(model.text->vocabulary(), r.skip_special_tokens, r.stop,
                                         r.include_stop_str_in_output),
         false});
  }
  *out = std::move(generation);
  return std::nullopt;
}

std::optional<ApiError> Generation::CheckFirst(const ApiRequest& r, const ServedModel& model) {
  if (r.chat && !model.text->has_chat_template()) {
    return BadParam("messages", fmt::format("The model '{}' has no chat template: use "
                                            "/v1/completions.",
                                            model.name));
  }
  if (r.grammar && model.eos_token_ids.empty()) {
    return BadParam(r.grammar_param,
                    "The model cannot follow a grammar: it has no end-of-text "
                    "token.");
  }
  if (auto error = CheckTokenIds(r, model)) return error;
  if (r.chat) return CheckBytes(r, model, r.messages_json.size());
  for (const Prompt& prompt : r.prompts) {
    const auto* text = std::get_if<std::string>(&prompt);
    if (auto error = CheckBytes(r, model, text ? text->size() : 0)) return error;
    const auto* ids = std::get_if<std::vector<int32_t>>(&prompt);
    if (ids && ids->size() > static_cast<size_t>(model.limits.max_model_len)) {
      return TooLong(r, model, fmt::format("have {} tokens", ids->size()));
    }
  }
  return std::nullopt;
}

std::optional<ApiError> Generation::AddPrompt(size_t index, const ServedModel& model,
                                              std::vector<PromptImage> images,
                                              const JobContext& context,
                                              GenerationRequest* request) {
  const ApiRequest& r = request_;
  const char* param = PromptParam(r);
  auto ids = Tokenize(r, model, r.chat ? nullptr : &r.prompts[index], &images, context);
  if (!ids.ok() && ids.status().code() == StatusCode::kResourceExhausted) {
    return TooLong(
        r, model,
        fmt::format("have more than {} tokens", model.limits.max_model_len + kTokensBeyondContext));
  }
  if (!ids.ok()) return FromReading(param, ids.status());
  if (ids->empty()) return BadParam(param, fmt::format("Invalid '{}': it has no tokens.", param));
  for (int32_t id : *ids) {
    if (id < model.limits.vocab_size && id >= 0) continue;
    return BadParam(param, fmt::format("Invalid '{}': token id {} is not in the vocabulary of {}.",
                                       param, id, model.limits.vocab_size));
  }
  if (auto error = FitContext(r, model, static_cast<int>(ids->size()), &request->max_tokens)) {
    return error;
  }
  usage_.image_tokens += static_cast<int>(images.size()) * model.limits.image_rows;
  usage_.prompt_tokens += static_cast<int>(ids->size());
  request->prompt = *ids;
  prompts_.push_back({*std::move(ids), {}});
  request->tenant = r.tenant;
  request->client = r.client;
  request->images = std::move(images);
  for (PromptImage& image : request->images) image.key = r.tenant + " " + image.key;
  request->sampling = MakeSampling(r, model.defaults);
  request->num_sequences = r.n;
  request->stop_token_ids = r.stop_token_ids;
  if (!r.ignore_eos) {
    request->stop_token_ids.insert(request->stop_token_ids.end(), model.eos_token_ids.begin(),
                                   model.eos_token_ids.end());
  }
  if (r.echo && r.logprobs) request->num_prompt_logprobs = *r.logprobs;
  return std::nullopt;
}

const std::vector<int32_t>& Generation::prompt(int choice) const {
  return prompts_[PromptOf(choice)].ids;
}

const std::vector<SampledToken>& Generation::prompt_logprobs(int choice) const {
  return prompts_[PromptOf(choice)].logprobs;
}

std::optional<ChoiceEvent> Generation::Next(TimePoint until) {
  while (!done()) {
    auto event = handle_->Next(until);
    if (!event) break;
    const bool was_finished = choices_[static_cast<size_t>(event->index)].finished;
    ChoiceEvent out = Absorb(*std::move(event));
    if (!was_finished) return out;
  }
  return std::nullopt;
}

ChoiceEvent Generation::Absorb(TokenEvent event) {
  ChoiceEvent out;
  out.choice = event.index;
  Choice& choice = choices_[static_cast<size_t>(out.choice)];
  if (!event.prompt_logprobs.empty()) {
    prompts_[PromptOf(out.choice)].logprobs = std::move(event.prompt_logprobs);
  }
  if (event.finish != FinishReason::kNone) --open_;
  if (event.timings) {
    usage_.timings = *event.timings;
    usage_.cached_tokens += event.timings->cached_tokens;
  }
  if (choice.finished) return out;  // its stop string came before
  const bool drop = request_.max_tokens == 0;
  for (size_t i = 0; i < event.tokens.size() && !drop; ++i) {
    const int32_t id = event.tokens[i].token;
    const bool is_stop = event.finish == FinishReason::kStop && i + 1 == event.tokens.size();
    if (!is_stop) out.text += choice.text->Push(id);
    if (is_stop) out.stop_token = id;
    out.tokens.push_back(std::move(event.tokens[i]));
    ++usage_.completion_tokens;
  }
  if (!choice.text->matched() && event.finish != FinishReason::kNone) {
    out.text += choice.text->Finish();
  }
  if (choice.text->matched()) {
    out.stop_string = choice.text->matched();
    out.finish_reason = "stop";
    handle_->Cancel(out.choice);
  } else if (event.finish == FinishReason::kStop) {
    out.finish_reason = "stop";
  } else if (event.finish == FinishReason::kLength) {
    out.finish_reason = "length";
  } else if (event.finish == FinishReason::kError) {
    error_ = FromStatus(event.status);
    out.finish_reason = "error";
  } else if (event.finish == FinishReason::kCancelled) {
    error_ = FromStatus(Unavailable("the server is shutting down"));
    out.finish_reason = "error";
  }
  choice.finished = !out.finish_reason.empty();
  return out;
}

}  // namespace edgegate
