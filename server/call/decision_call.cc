#include "server/call/decision_call.h"

#include <algorithm>
#include <utility>

#include "engine/base/random_hex.h"
#include "server/call/generation.h"
#include "server/call/image_loader.h"

namespace edgegate {
namespace {

CallError TooLong(const ServedModel& model, const std::string& field, int64_t tokens) {
  return BadField(
      field,
      fmt::format("This model's maximum context length is {} tokens. However, the input "
                  "and '{}' have {}. Please reduce their length.",
                  model.limits.max_model_len, field, tokens),
      "context_length_exceeded");
}

// Places the mark at the end of the last message of the user, or in a message of its own after the
// messages of others. Returns the text between the message and a question. It belongs to the
// question, because the tokens of blank lines depend on the text that follows them.
const char* AddMark(const std::string& mark, Conversation* conversation) {
  auto& messages = conversation->messages;
  if (messages.empty() || messages.back().role != "user") messages.push_back({"user", {}});
  auto& parts = messages.back().parts;
  if (parts.empty() || parts.back().kind == ChatPart::Kind::kImage) {
    parts.push_back({ChatPart::Kind::kText, mark});
    return "";
  }
  parts.back().text += mark;
  return "\n\n";
}

QuestionedChat MakeChat(const DecisionCall& decision, const ServedModel& model) {
  QuestionedChat chat{*decision.call.conversation(), "question " + RandomHex(4), {}};
  const char* between = AddMark(chat.mark, &chat.conversation);
  for (const DecisionQuestion& question : decision.questions) {
    auto forms = FormsOf(question, model.defaults.plain_decisions.value_or(false));
    for (QuestionForm& form : forms) form.text.insert(0, between);
    chat.questions.push_back(std::move(forms));
  }
  return chat;
}

// Tokenizes everything. Sets the positions of `images`.
std::variant<EncodedQuestions, CallError> Tokenize(const DecisionCall& decision,
                                                   const ServedModel& model,
                                                   std::vector<PromptMedia>* images,
                                                   const JobContext& context) {
  std::vector<int> rows;
  for (const PromptMedia& image : *images) {
    const auto layout = model.limits.media->Layout(image.item);
    if (!layout.ok()) return CallError{layout.status()};
    rows.push_back(layout->rows);
  }
  const int most = model.limits.max_model_len;
  auto encoded = model.text->EncodeQuestions(MakeChat(decision, model), most, rows, context);
  if (encoded.status().code() == StatusCode::kResourceExhausted) {
    return BadField("input",
                    fmt::format("This model's maximum context length is {} tokens. However, the "
                                "input, or a question, has more. Please reduce its length.",
                                most),
                    "context_length_exceeded");
  }
  if (!encoded.ok()) return AtField("input", encoded.status());
  for (size_t i = 0; i < images->size(); ++i) {
    (*images)[i].position = encoded->prompt.image_positions[i];
  }
  return *std::move(encoded);
}

// Makes the continuations of all questions.
std::optional<CallError> MakePlan(const DecisionCall& decision, const ServedModel& model,
                                  const EncodedQuestions& encoded, ScorePlan* plan,
                                  int64_t* tokens) {
  const int64_t prompt = std::ssize(encoded.prompt.ids);
  for (size_t i = 0; i < encoded.questions.size(); ++i) {
    size_t next = plan->branches().size();
    plan->Add(encoded.questions[i], model.eos_token_ids);
    for (; next < plan->branches().size(); ++next) {
      const int64_t length = std::ssize(plan->branches()[next].tokens);
      *tokens += length;
      if (prompt + length > model.limits.max_model_len) {
        return TooLong(model, decision.questions[i].field, prompt + length);
      }
    }
    if (next > DecisionRun::kMostBranches || *tokens > DecisionRun::kMostTokens) {
      return BadField(
          "questions",
          fmt::format("Invalid 'questions': their options take more than {} continuations of the "
                      "input, or more than {} tokens in all.",
                      DecisionRun::kMostBranches, DecisionRun::kMostTokens));
    }
  }
  return std::nullopt;
}

}  // namespace

std::variant<std::unique_ptr<DecisionRun>, CallError> DecisionRun::Start(
    const DecisionCall& decision, const ServedModel& model, const FetchOptions& fetch,
    MemoryBudget* memory, EngineLoop* engine, std::optional<TimePoint> deadline,
    const JobContext& context) {
  const Call& call = decision.call;
  if (auto error = Generation::CheckFirst(call, model)) return *std::move(error);
  if (auto error = CheckImages(call.images, model)) return *std::move(error);
  const Status admitted = engine->CheckAdmission(model.engine_index, call.caller.client, 1);
  if (!admitted.ok()) return CallError{admitted};
  auto images = LoadImages(call.images, model, fetch, memory, context);
  if (const auto* error = std::get_if<CallError>(&images)) return *error;
  auto& media = std::get<std::vector<PromptMedia>>(images);
  auto tokenized = Tokenize(decision, model, &media, context);
  if (const auto* error = std::get_if<CallError>(&tokenized)) return *error;
  auto& encoded = std::get<EncodedQuestions>(tokenized);
  std::unique_ptr<DecisionRun> run(new DecisionRun);
  run->temperature_ = model.defaults.decision_temperature.value_or(1.0f);
  run->result_.prompt_tokens = static_cast<int>(encoded.prompt.ids.size());
  int64_t tokens = run->result_.prompt_tokens;
  if (auto error = MakePlan(decision, model, encoded, &run->plan_, &tokens)) return *error;
  run->result_.input_tokens = tokens;
  GenerationRequest request;
  request.tenant = call.caller.tenant;
  request.client = call.caller.client;
  request.prompt = std::move(encoded.prompt.ids);
  request.media = std::move(media);
  request.branches = run->plan_.TakeBranches();
  request.deadline = deadline;
  if (request.branches.empty()) return run;  // the options of each question are all the same
  auto handle = engine->Submit(model.engine_index, std::move(request));
  if (!handle.ok()) return CallError{handle.status()};
  run->handle_ = *std::move(handle);
  return run;
}

bool DecisionRun::Wait(TimePoint until) {
  if (handle_ && !end_) end_ = handle_->Next(until);
  return end_.has_value() || !handle_;
}

std::variant<DecisionResult, CallError> DecisionRun::Take() {
  std::vector<float> scores;
  if (end_) {
    if (end_->finish == FinishReason::kError) return CallError{end_->status};
    if (end_->finish != FinishReason::kStop) {
      return CallError{Unavailable("the server is shutting down")};
    }
    scores = std::move(end_->scores);
    result_.timings = end_->timings.value_or(RequestTimings());
    result_.cached_tokens = std::min(result_.timings.cached_tokens, result_.prompt_tokens);
  }
  for (const auto& logprobs : plan_.LogProbabilities(scores)) {
    result_.probabilities.push_back(Softmax(logprobs, temperature_));
  }
  return std::move(result_);
}

}  // namespace edgegate
