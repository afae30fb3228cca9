// Tokenizing, chat templates, grammars and image decoding for one model. All of these process data
// of clients, so they run in worker processes with limits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/sampling/token_constraint.h"
#include "engine/text/chat_template.h"
#include "engine/text/grammar.h"
#include "engine/text/vocabulary.h"
#include "server/access/memory_budget.h"
#include "server/worker/job_slots.h"
#include "server/worker/jobs.h"
#include "server/worker/process.h"
#include "server/worker/question_job.h"

namespace edgegate {

struct PreparedImage {
  std::vector<uint8_t> pixels;  // [side][side][3]
  std::string sha256;           // of the pixels, in hex digits
};

// The treatment of special tokens in a text.
struct TextOptions {
  bool parse_special = true;  // text that looks like a special token becomes the token
  bool add_special = true;    // add the tokens of the tokenizer's post-processor
};

// Errors of the methods: kInvalidArgument: the input is wrong, or the job exceeds a limit, which
// the message names. kResourceExhausted: a text has too many tokens. kUnavailable: too many jobs
// wait, or no process can be started. kCancelled: the context was cancelled. Provides its own
// synchronization.
class ModelText {
 public:
  // `source.assets` must outlive the result, as must `slots` and `budget`. Errors of the files are
  // those of Tokenizer::Make and ChatTemplate::Make.
  static Result<std::unique_ptr<ModelText>> Load(const TextModelSource& source,
                                                 const JobLimits& limits, JobSlots* slots,
                                                 MemoryBudget* budget);

  const VocabularyTable& vocabulary() const { return *vocabulary_; }
  bool has_chat_template() const { return has_chat_template_; }
  // Returns the marks and forms that the model uses in its answers.
  const AnswerTraits& traits() const { return traits_; }
  // Returns the template and its special tokens. All are empty if the model has no chat template.
  const TemplateFacts& template_facts() const { return facts_; }

  // `image_rows`: see ChatTemplate::Encode.
  Result<ChatPrompt> EncodeChat(const Conversation& conversation, int64_t max_tokens,
                                const std::vector<int>& image_rows, const JobContext& context);
  Result<std::vector<int32_t>> EncodeText(std::string_view text, int64_t max_tokens,
                                          const JobContext& context, TextOptions options = {});
  // Tokenizes several texts, with the tokens that the tokenizer adds. A text with more than
  // `max_tokens` is cut if `cut` is set; the tokens that the tokenizer adds at its end are kept.
  // Otherwise its result is nullopt.
  Result<std::vector<std::optional<std::vector<int32_t>>>> EncodeTexts(
      const std::vector<std::string_view>& texts, int64_t max_tokens, bool cut,
      const JobContext& context);
  // Tokenizes the conversation up to the mark, and each question from there on. Each has at most
  // `max_tokens`.
  Result<EncodedQuestions> EncodeQuestions(const QuestionedChat& chat, int64_t max_tokens,
                                           const std::vector<int>& image_rows,
                                           const JobContext& context);
  // `side`: side of the square image that the model takes, in pixels.
  Result<PreparedImage> PrepareImage(std::string_view file, int side, const JobContext& context);
  // Returns a constraint at the grammar's start. A separate process serves it until the constraint
  // and all its clones are destroyed.
  Result<std::unique_ptr<TokenConstraint>> StartGrammar(const GrammarSpec& spec,
                                                        const JobContext& context);

 private:
  ModelText(const JobLimits& limits, JobSlots* slots, MemoryBudget* budget)
      : limits_(limits), slots_(slots), budget_(budget) {}

  // Runs the job on an idle worker, or on a new one. Returns the fields of the result.
  Result<std::string> Run(JobKind kind, WireWriter* job, const JobContext& context);
  Result<std::unique_ptr<WorkerProcess>> TakeWorker() EG_EXCLUDES(mutex_);
  void ReturnWorker(std::unique_ptr<WorkerProcess> worker) EG_EXCLUDES(mutex_);
  Result<std::string> CallWorker(WorkerProcess* worker, JobKind kind, WireWriter* job,
                                 const JobContext& context);
  WireWriter NewJob(JobKind kind) const;
  JobLimits LimitsOf(JobKind kind) const;

  const JobLimits limits_;
  JobSlots* const slots_;
  MemoryBudget* const budget_;
  std::unique_ptr<ModelHost> host_;
  std::unique_ptr<VocabularyTable> vocabulary_;
  bool has_chat_template_ = false;
  AnswerTraits traits_;
  TemplateFacts facts_;
  Mutex mutex_;
  std::vector<std::unique_ptr<WorkerProcess>> idle_ EG_GUARDED_BY(mutex_);
};

}  // namespace edgegate
