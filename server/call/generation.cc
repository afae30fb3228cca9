#include "server/call/generation.h"

#include <algorithm>
#include <random>

#include "server/call/answer_grammar.h"
#include "server/call/encode_prompt.h"

namespace edgegate {
namespace {

SamplingParams MakeSampling(const CallSampling& s, const GenerationDefaults& defaults) {
  SamplingParams p;
  p.temperature = s.temperature.value_or(defaults.temperature.value_or(1.0f));
  p.top_p = s.top_p.value_or(defaults.top_p.value_or(1.0f));
  p.top_k = s.top_k.value_or(defaults.top_k.value_or(0));
  p.min_p = s.min_p.value_or(defaults.min_p.value_or(0.0f));
  p.repetition_penalty = s.repetition_penalty.value_or(defaults.repetition_penalty.value_or(1.0f));
  p.presence_penalty = s.presence_penalty;
  p.frequency_penalty = s.frequency_penalty;
  p.logit_bias = s.logit_bias;
  if (s.seed) {
    p.seed = *s.seed;
  } else {
    std::random_device device;
    p.seed = uint64_t{device()} << 32 | device();
  }
  p.num_top_logprobs = s.top_logprobs.value_or(-1);
  return p;
}

// True if a token of the vocabulary is no stop token.
bool AnyTokenContinues(const Call& call, const ServedModel& model) {
  std::vector<int32_t> stops = call.stop_token_ids;
  stops.insert(stops.end(), model.eos_token_ids.begin(), model.eos_token_ids.end());
  std::sort(stops.begin(), stops.end());
  for (int32_t id = 0; id < model.limits.vocab_size; ++id) {
    const bool is_stop = std::binary_search(stops.begin(), stops.end(), id);
    if (!is_stop && model.text->vocabulary().IsValid(id)) return true;
  }
  return false;
}

std::optional<CallError> CheckTokenIds(const Call& call, const ServedModel& model) {
  const int vocab = model.limits.vocab_size;
  const auto outside = [&](const char* field, int32_t id) {
    return BadField(
        field, fmt::format("Invalid '{}': {} is not in the vocabulary of {}.", field, id, vocab));
  };
  for (int32_t id : call.stop_token_ids) {
    if (id >= vocab) return outside("stop_token_ids", id);
  }
  for (auto [id, bias] : call.sampling.logit_bias) {
    if (id >= vocab) return outside("logit_bias", id);
  }
  if (call.min_tokens > 0 && !AnyTokenContinues(call, model)) {
    return BadField("min_tokens",
                    "Invalid 'min_tokens': every token of the vocabulary is a stop token.");
  }
  return std::nullopt;
}

std::optional<CallError> CheckPrompt(const Call& call, const ServedModel& model,
                                     const std::vector<int32_t>& ids) {
  const std::string& field = call.input_field;
  if (ids.empty()) return BadField(field, fmt::format("Invalid '{}': it has no tokens.", field));
  for (int32_t id : ids) {
    if (id < model.limits.vocab_size && id >= 0) continue;
    return BadField(field, fmt::format("Invalid '{}': token id {} is not in the vocabulary of {}.",
                                       field, id, model.limits.vocab_size));
  }
  return std::nullopt;
}

// Returns the part of an error that counts the images of the prompt. Empty: there are none.
std::string ImageCounts(size_t images, int64_t tokens) {
  if (images == 0) return {};
  return fmt::format(" with {} image{} of {} tokens", images, images == 1 ? "" : "s", tokens);
}

// Returns the number of tokens to generate after a prompt, or the error if they do not fit.
std::variant<int, CallError> FitContext(const Call& call, const ServedModel& model, int prompt,
                                        const std::string& images) {
  const int context = model.limits.max_model_len;
  const std::string& field = call.input_field;
  int asked = std::max(1, call.max_tokens.value_or(1));
  if (call.fit_max_tokens && prompt < context) asked = std::min(asked, context - prompt);
  if (int64_t{prompt} + asked > context) {
    return BadField(
        call.max_tokens && prompt < context ? call.max_tokens_field : field,
        fmt::format("This model's maximum context length is {} tokens. However, you requested {} "
                    "tokens ({} in the {}{}, {} in the completion). Please reduce the length of "
                    "the {} or completion.",
                    context, int64_t{prompt} + asked, prompt, field, images, asked, field),
        "context_length_exceeded");
  }
  if (call.max_tokens) return asked;
  return std::min(call.default_max_tokens.value_or(context), context - prompt);
}

}  // namespace

std::optional<CallError> Generation::CheckFirst(const Call& call, const ServedModel& model) {
  if (model.embedding_width > 0) {
    return BadField("model", fmt::format("The model '{}' computes embeddings only.", model.name));
  }
  const Conversation* conversation = call.conversation();
  if (conversation != nullptr && !model.text->has_chat_template()) {
    return BadField(
        call.input_field,
        fmt::format("The model '{}' has no chat template: use /v1/completions.", model.name));
  }
  if (call.constraint && model.eos_token_ids.empty()) {
    return BadField(call.constraint->field,
                    "The model cannot follow a grammar: it has no end-of-text token.");
  }
  if (auto error = CheckTools(call, model)) return error;
  if (auto error = CheckTokenIds(call, model)) return error;
  return CheckPromptBytes(call, model);
}

std::variant<std::unique_ptr<Generation>, CallError> Generation::Start(
    const Call& call, const ServedModel& model, std::vector<PromptMedia> images, EngineLoop* engine,
    std::optional<TimePoint> deadline, const JobContext& context) {
  std::unique_ptr<Generation> generation(new Generation);
  generation->per_prompt_ = call.num_choices;
  generation->drop_tokens_ = call.max_tokens == 0;
  generation->stop_token_ids_ = call.stop_token_ids;
  std::vector<GenerationRequest> requests;
  bool reasoning_open = false;
  for (int i = 0; i < call.num_prompts(); ++i) {
    auto encoded = EncodeCallPrompt(call, model, i, &images, context, &generation->dropped_turns_);
    if (const auto* error = std::get_if<CallError>(&encoded)) return *error;
    auto& prompt = std::get<ChatPrompt>(encoded);
    reasoning_open = prompt.reasoning_open;
    GenerationRequest request;
    request.deadline = deadline;
    if (auto error = generation->AddPrompt(call, model, std::move(prompt.ids), std::move(images),
                                           &request)) {
      return *std::move(error);
    }
    images.clear();
    requests.push_back(std::move(request));
  }
  auto constraint = StartGrammar(call, model, reasoning_open, context);
  if (auto* error = std::get_if<CallError>(&constraint)) return std::move(*error);
  for (GenerationRequest& request : requests) {
    request.constraint = std::get<std::shared_ptr<const TokenConstraint>>(constraint);
  }
  generation->open_ = static_cast<int>(requests.size()) * call.num_choices;
  auto handle = engine->Submit(model.engine_index, std::move(requests));
  if (!handle.ok()) return CallError{handle.status()};
  generation->handle_ = *std::move(handle);
  const auto syntax = SyntaxOf(call, model, reasoning_open);
  for (int i = 0; i < generation->open_; ++i) {
    Choice choice;
    choice.thinking = syntax && syntax->reasoning && reasoning_open;
    choice.text = std::make_unique<TextAssembler>(
        model.text->vocabulary(), call.skip_special_tokens, call.stop_strings,
        call.include_stop_string, syntax, model.text->traits().marks);
    choice.text->SkipStops(call.min_tokens);
    generation->choices_.push_back(std::move(choice));
  }
  return generation;
}

std::variant<std::vector<int32_t>, CallError> Generation::EncodePrompt(
    const Call& call, const ServedModel& model, std::vector<PromptMedia> images,
    const JobContext& context) {
  size_t dropped = 0;
  auto encoded = EncodeCallPrompt(call, model, 0, &images, context, &dropped);
  if (const auto* error = std::get_if<CallError>(&encoded)) return *error;
  return std::move(std::get<ChatPrompt>(encoded).ids);
}

std::optional<CallError> Generation::AddPrompt(const Call& call, const ServedModel& model,
                                               std::vector<int32_t> ids,
                                               std::vector<PromptMedia> images,
                                               GenerationRequest* request) {
  if (auto error = CheckPrompt(call, model, ids)) return error;
  for (const PromptMedia& image : images) {
    const auto layout = model.limits.media->Layout(image.item);
    // The engine refuses items without a layout.
    if (layout.ok()) usage_.image_tokens += layout->rows;
  }
  const auto fitted = FitContext(call, model, static_cast<int>(ids.size()),
                                 ImageCounts(images.size(), usage_.image_tokens));
  if (const auto* error = std::get_if<CallError>(&fitted)) return *error;
  request->max_tokens = std::get<int>(fitted);
  usage_.prompt_tokens += static_cast<int>(ids.size());
  request->prompt = ids;
  prompts_.push_back({std::move(ids), {}});
  request->tenant = call.caller.tenant;
  request->client = call.caller.client;
  request->media = std::move(images);
  request->sampling = MakeSampling(call.sampling, model.defaults);
  request->num_sequences = call.num_choices;
  request->min_tokens = call.min_tokens;
  request->stop_token_ids = call.stop_token_ids;
  if (!call.ignore_eos) {
    request->stop_token_ids.insert(request->stop_token_ids.end(), model.eos_token_ids.begin(),
                                   model.eos_token_ids.end());
  }
  if (call.prompt_logprobs) request->num_prompt_logprobs = call.sampling.top_logprobs.value_or(-1);
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
  if (choice.finished) return out;  // it ended earlier, at a stop string
  AbsorbTokens(&event, &choice, &out);
  AbsorbEnd(event, &choice, &out);
  choice.finished = out.end != ChoiceEnd::kNone;
  return out;
}

void Generation::AbsorbTokens(TokenEvent* event, Choice* choice, ChoiceEvent* out) {
  for (size_t i = 0; i < event->tokens.size() && !drop_tokens_; ++i) {
    const int32_t id = event->tokens[i].token;
    const bool is_stop = event->finish == FinishReason::kStop && i + 1 == event->tokens.size();
    const size_t pieces = out->parts.size();
    if (!is_stop) choice->text->Push(id, &out->parts);
    if (out->parts.size() > pieces) {
      choice->thinking = out->parts.back().kind == AnswerPart::Kind::kReasoning;
    }
    if (choice->thinking) ++usage_.reasoning_tokens;
    const bool asked =
        std::find(stop_token_ids_.begin(), stop_token_ids_.end(), id) != stop_token_ids_.end();
    if (is_stop && asked) out->stop_token = id;
    out->tokens.push_back(std::move(event->tokens[i]));
    ++usage_.completion_tokens;
  }
  if (!choice->text->matched() && event->finish != FinishReason::kNone) {
    choice->text->Finish(&out->parts);
  }
  for (const AnswerPart& part : out->parts) {
    if (part.kind == AnswerPart::Kind::kContent) out->text += part.text;
    choice->called = choice->called || part.kind == AnswerPart::Kind::kCallEnd;
  }
}

void Generation::AbsorbEnd(const TokenEvent& event, Choice* choice, ChoiceEvent* out) {
  if (choice->text->matched()) {
    out->stop_string = choice->text->matched();
    out->end = ChoiceEnd::kStop;
    handle_->Cancel(out->choice);
    return;
  }
  switch (event.finish) {
    case FinishReason::kNone:
      return;
    case FinishReason::kStop:
      out->end = choice->called ? ChoiceEnd::kCalls : ChoiceEnd::kStop;
      return;
    case FinishReason::kLength:
      out->end = ChoiceEnd::kLength;
      return;
    case FinishReason::kError:
      error_ = CallError{event.status};
      break;
    case FinishReason::kCancelled:
      error_ = CallError{Unavailable("the server is shutting down")};
      break;
  }
  out->end = ChoiceEnd::kFailed;
}

}  // namespace edgegate
