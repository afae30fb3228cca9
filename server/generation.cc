#include "server/generation.h"

#include <algorithm>
#include <random>

namespace edgegate {
namespace {

constexpr int kDefaultCompletionTokens = 16;

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

// `images` get their positions.
Result<std::vector<int32_t>> Tokenize(const ApiRequest& r, const ServedModel& model,
                                      const Prompt* prompt, std::vector<PromptImage>* images) {
  if (r.chat) {
    ChatTemplateInput input;
    input.messages_json = r.messages_json;
    input.kwargs_json = r.template_kwargs_json;
    input.add_generation_prompt = r.add_generation_prompt;
    input.num_images = static_cast<int>(images->size());
    EG_ASSIGN_OR_RETURN(ChatPrompt encoded, model.chat_template->Encode(input));
    for (size_t i = 0; i < images->size(); ++i) {
      (*images)[i].position = encoded.image_positions[i];
    }
    return std::move(encoded.ids);
  }
  if (const auto* ids = std::get_if<std::vector<int32_t>>(prompt)) return *ids;
  return model.tokenizer->Encode(std::get<std::string>(*prompt), Tokenizer::Specials::kParse, true);
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
  const char* param = r.chat ? "messages" : "prompt";
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
                                          std::unique_ptr<Generation>* out) {
  if (r.chat && !model.chat_template) {
    return BadParam("messages", fmt::format("The model '{}' has no chat template: use "
                                            "/v1/completions.",
                                            model.name));
  }
  if (auto error = CheckTokenIds(r, model)) return error;
  std::shared_ptr<const TokenConstraint> constraint;
  if (r.grammar) {
    if (!model.grammars) return BadParam(r.grammar_param, "The model cannot follow a grammar.");
    auto started = model.grammars->Start(*r.grammar);
    if (!started.ok()) {
      return BadParam(r.grammar_param,
                      fmt::format("Invalid '{}': {}", r.grammar_param, started.status().message()));
    }
    constraint = *std::move(started);
  }
  std::unique_ptr<Generation> generation(new Generation(r));
  const size_t count = r.chat ? 1 : r.prompts.size();
  std::vector<GenerationRequest> requests;
  for (size_t i = 0; i < count; ++i) {
    const char* param = r.chat ? "messages" : "prompt";
    auto ids = Tokenize(r, model, r.chat ? nullptr : &r.prompts[i], &images);
    if (!ids.ok()) return BadParam(param, ids.status().message());
    if (ids->empty()) return BadParam(param, fmt::format("Invalid '{}': it has no tokens.", param));
    for (int32_t id : *ids) {
      if (id >= model.limits.vocab_size || id < 0) {
        return BadParam(param, fmt::format("Invalid '{}': token id {} is not in the vocabulary of "
                                           "{}.",
                                           param, id, model.limits.vocab_size));
      }
    }
    GenerationRequest request;
    if (auto error = FitContext(r, model, static_cast<int>(ids->size()), &request.max_tokens)) {
      return error;
    }
    request.prompt = *ids;
    generation->usage_.image_tokens += static_cast<int>(images.size()) * model.limits.image_rows;
    request.tenant = r.tenant;
    request.client = r.tenant;
    request.images = std::move(images);
    for (PromptImage& image : request.images) image.key = r.tenant + " " + image.key;
    images.clear();
    request.sampling = MakeSampling(r, model.defaults);
    request.num_sequences = r.n;
    request.stop_token_ids = r.stop_token_ids;
    if (!r.ignore_eos) {
      request.stop_token_ids.insert(request.stop_token_ids.end(), model.eos_token_ids.begin(),
                                    model.eos_token_ids.end());
    }
    if (r.echo && r.logprobs) request.num_prompt_logprobs = *r.logprobs;
    request.constraint = constraint;
    request.deadline = deadline;
    generation->usage_.prompt_tokens += static_cast<int>(ids->size());
    generation->prompts_.push_back({*std::move(ids), {}});
    requests.push_back(std::move(request));
  }
  auto handle = engine->Submit(model.engine_index, std::move(requests));
  if (!handle.ok()) return FromStatus(handle.status());
  generation->handle_ = *std::move(handle);
  generation->open_ = static_cast<int>(count) * r.n;
  for (int i = 0; i < generation->open_; ++i) {
    generation->choices_.push_back(
        {std::make_unique<TextAssembler>(*model.tokenizer, r.skip_special_tokens, r.stop,
                                         r.include_stop_str_in_output),
         false});
  }
  *out = std::move(generation);
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
