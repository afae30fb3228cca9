// One model's text side as the daemon uses it: tokenizing, chat templates, grammars and the reading
// of images. All of it works on data of clients, so it runs in worker processes with limits.
#pragma once

#include <memory>
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

namespace edgegate {

struct PreparedImage {
  std::vector<uint8_t> pixels;  // [side][side][3]
  std::string sha256;           // of the pixels, in hex digits
};

// Errors of the methods: kInvalidArgument when the input is wrong, or passes a limit of jobs (the
// message names it); kResourceExhausted when a text has too many tokens; kUnavailable when too much
// is going on, or no process can be started; kCancelled when the context says so.
// Provides its own synchronization.
class ModelText {
 public:
  // `source.assets` must outlive the result, as must `slots` and `budget`. Errors of the files are
  // those of Tokenizer::Make and ChatTemplate::Make.
  static Result<std::unique_ptr<ModelText>> Load(const TextModelSource& source,
                                                 const JobLimits& limits, JobSlots* slots,
                                                 MemoryBudget* budget);

  const VocabularyTable& vocabulary() const { return *vocabulary_; }
  bool has_chat_template() const { return has_chat_template_; }
  // How the model writes its answers in a chat.
  const AnswerTraits& traits() const { return traits_; }

  // `image_rows`: see ChatTemplate::Encode.
  Result<ChatPrompt> EncodeChat(const Conversation& conversation, int64_t max_tokens,
                                const std::vector<int>& image_rows, const JobContext& context);
  Result<std::vector<int32_t>> EncodeText(std::string_view text, int64_t max_tokens,
                                          const JobContext& context);
  // `side`: of the square that the model sees, in pixels.
  Result<PreparedImage> PrepareImage(std::string_view file, int side, const JobContext& context);
  // A constraint at the grammar's start. A process of its own serves it while it, or a clone,
  // lives.
  Result<std::unique_ptr<TokenConstraint>> StartGrammar(const GrammarSpec& spec,
                                                        const JobContext& context);

 private:
  ModelText(const JobLimits& limits, JobSlots* slots, MemoryBudget* budget)
      : limits_(limits), slots_(slots), budget_(budget) {}

  // Runs the job on a worker: a resting one, or a new one. Gives the result's fields.
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
  Mutex mutex_;
  std::vector<std::unique_ptr<WorkerProcess>> resting_ EG_GUARDED_BY(mutex_);
};

}  // namespace edgegate
