#include "server/call/embedding_call.h"

#include <algorithm>
#include <utility>

#include "engine/model/text_encoder.h"

namespace edgegate {
namespace {

using Ids = std::vector<int32_t>;

CallError TooLong(const EmbeddingInput& input, int most) {
  return BadField(
      input.field,
      fmt::format("Invalid '{}': it has more than {} tokens, the maximum of this model. "
                  "The request does not ask to truncate it.",
                  input.field, most),
      "context_length_exceeded");
}

std::optional<CallError> CheckIds(const EmbeddingInput& input, const Ids& ids,
                                  const ServedModel& model) {
  if (ids.empty()) {
    return BadField(input.field, fmt::format("Invalid '{}': it has no tokens.", input.field));
  }
  const int vocab = model.limits.vocab_size;
  const auto outside = std::ranges::find_if(ids, [&](int32_t id) { return id < 0 || id >= vocab; });
  if (outside == ids.end()) return std::nullopt;
  return BadField(input.field,
                  fmt::format("Invalid '{}': token id {} is not in the vocabulary of {}.",
                              input.field, *outside, vocab));
}

// Checks what can be checked before the texts are tokenized.
std::optional<CallError> CheckFirst(const EmbeddingCall& call, const ServedModel& model) {
  if (model.embedding_width == 0) {
    return BadField(
        "model",
        fmt::format("The model '{}' computes no embeddings: it generates text.", model.name));
  }
  if (call.dimensions && *call.dimensions > model.embedding_width) {
    return BadField("dimensions",
                    fmt::format("Invalid 'dimensions': the embeddings of '{}' have {}.", model.name,
                                model.embedding_width));
  }
  for (const EmbeddingInput& input : call.inputs) {
    const auto* text = std::get_if<std::string>(&input.text);
    if (text != nullptr && text->size() > EmbeddingRun::kMaxBytes) {
      return BadField(input.field,
                      fmt::format("Invalid '{}': it has {} bytes; at most {} are read.",
                                  input.field, text->size(), EmbeddingRun::kMaxBytes));
    }
    const auto* ids = std::get_if<Ids>(&input.text);
    if (ids == nullptr) continue;
    if (auto error = CheckIds(input, *ids, model)) return error;
  }
  return std::nullopt;
}

// Returns the token ids of all inputs.
std::variant<std::vector<Ids>, CallError> Tokenize(const EmbeddingCall& call,
                                                   const ServedModel& model,
                                                   const JobContext& context) {
  const int longest = model.limits.max_model_len;
  const int wanted = call.truncate_tokens.value_or(0);
  const int most = wanted > 0 ? std::min(wanted, longest) : longest;
  std::vector<std::string_view> texts;
  for (const EmbeddingInput& input : call.inputs) {
    if (const auto* text = std::get_if<std::string>(&input.text)) texts.push_back(*text);
  }
  auto tokenized = model.text->EncodeTexts(texts, most, call.truncate_tokens.has_value(), context);
  if (!tokenized.ok()) return AtField(call.input_field, tokenized.status());
  std::vector<Ids> all;
  size_t next = 0;
  for (const EmbeddingInput& input : call.inputs) {
    const auto* given = std::get_if<Ids>(&input.text);
    std::optional<Ids> ids = given != nullptr ? *given : std::move((*tokenized)[next++]);
    if (ids && std::ssize(*ids) > most) {
      if (call.truncate_tokens) {
        ids->resize(static_cast<size_t>(most));
      } else {
        ids.reset();
      }
    }
    if (!ids) return TooLong(input, longest);
    if (auto error = CheckIds(input, *ids, model)) return *std::move(error);
    all.push_back(*std::move(ids));
  }
  return all;
}

}  // namespace

std::variant<std::unique_ptr<EmbeddingRun>, CallError> EmbeddingRun::Start(
    const EmbeddingCall& call, const ServedModel& model, EngineLoop* engine,
    std::optional<TimePoint> deadline, const JobContext& context) {
  if (auto error = CheckFirst(call, model)) return *std::move(error);
  const Status admitted = engine->CheckAdmission(model.engine_index, call.caller.client,
                                                 static_cast<int>(call.inputs.size()));
  if (!admitted.ok()) return CallError{admitted};
  auto tokenized = Tokenize(call, model, context);
  if (const auto* error = std::get_if<CallError>(&tokenized)) return *error;
  EncodeRequest request;
  request.client = call.caller.client;
  request.deadline = deadline;
  request.texts = std::get<std::vector<Ids>>(std::move(tokenized));
  std::unique_ptr<EmbeddingRun> run(new EmbeddingRun);
  for (const Ids& text : request.texts) run->tokens_ += std::ssize(text);
  run->model_width_ = model.embedding_width;
  run->width_ = call.dimensions.value_or(model.embedding_width);
  auto handle = engine->SubmitTexts(model.engine_index, std::move(request));
  if (!handle.ok()) return CallError{handle.status()};
  run->handle_ = *std::move(handle);
  return run;
}

std::variant<EmbeddingResult, CallError> EmbeddingRun::Take() {
  if (const Status status = handle_->status(); !status.ok()) return CallError{status};
  EmbeddingResult result;
  result.width = width_;
  result.tokens = tokens_;
  const std::vector<float>& all = handle_->embeddings();
  if (width_ == model_width_) {
    result.embeddings = all;
    return result;
  }
  const size_t count = all.size() / static_cast<size_t>(model_width_);
  result.embeddings.resize(count * static_cast<size_t>(width_));
  for (size_t i = 0; i < count; ++i) {
    float* row = result.embeddings.data() + i * static_cast<size_t>(width_);
    std::copy_n(all.data() + i * static_cast<size_t>(model_width_), width_, row);
    NormalizeEmbedding(row, width_);
  }
  return result;
}

}  // namespace edgegate
