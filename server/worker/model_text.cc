#include "server/worker/model_text.h"

#include <algorithm>
#include <chrono>

#include "server/worker/conversation_wire.h"
#include "server/worker/grammar_session.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxIdle = 2;  // most idle workers of a model that are kept for the next job
constexpr int64_t kBesideDecoder = int64_t{24}
                                   << 20;  // memory of a job for the file and the result

// Returns the fields of the result in an answer, or the error in it.
Result<std::string> OpenAnswer(std::string_view message) {
  WireReader reader(message);
  const auto code = reader.Get<StatusCode>();
  const std::string_view text = reader.GetString();
  const std::string_view result = reader.GetString();
  if (!reader.ok() || code < StatusCode::kOk || code > StatusCode::kInternal) {
    return Internal("a worker's answer is malformed");
  }
  if (code != StatusCode::kOk) return Status(code, std::string(text));
  return std::string(result);
}

Status Malformed() { return Internal("a worker's result is malformed"); }

// Returns how many of the texts from `first` on are tokenized in one job, so that a job is short.
size_t TextsOfJob(const std::vector<std::string_view>& texts, size_t first) {
  constexpr size_t kTexts = 256, kBytes = 128 << 10;
  size_t bytes = 0, count = 0;
  while (count < std::min(kTexts, texts.size() - first)) {
    bytes += texts[first + count].size();
    if (bytes > kBytes && count > 0) break;
    ++count;
  }
  return count;
}

Result<VocabularyTable> ReadVocabulary(WireReader* reader) {
  std::string bytes(reader->GetString());
  auto ends = reader->GetVector<uint32_t>();
  auto kinds = reader->GetVector<VocabularyTable::Kind>();
  const bool strips = reader->GetBool();
  bool valid = reader->ok() && ends.size() == kinds.size();
  uint32_t last = 0;
  for (uint32_t end : ends) {
    valid = valid && end >= last && end <= bytes.size();
    last = end;
  }
  if (!valid) return Malformed();
  return VocabularyTable(std::move(bytes), std::move(ends), std::move(kinds), strips);
}

}  // namespace

Result<std::unique_ptr<ModelText>> ModelText::Load(const TextModelSource& source,
                                                   const JobLimits& limits, JobSlots* slots,
                                                   MemoryBudget* budget) {
  std::unique_ptr<ModelText> text(new ModelText(limits, slots, budget));
  std::string answer;
  EG_ASSIGN_OR_RETURN(text->host_,
                      ModelHost::Start([source] { return LoadMessage(source); }, &answer));
  EG_ASSIGN_OR_RETURN(const std::string result, OpenAnswer(answer));
  WireReader reader(result);
  EG_ASSIGN_OR_RETURN(VocabularyTable table, ReadVocabulary(&reader));
  text->vocabulary_ = std::make_unique<VocabularyTable>(std::move(table));
  text->has_chat_template_ = reader.GetBool();
  text->traits_ = GetTraits(&reader);
  text->facts_ = GetFacts(&reader);
  if (!reader.ok()) return Malformed();
  return text;
}

WireWriter ModelText::NewJob(JobKind kind) const {
  WireWriter job;
  job.Put(LimitsOf(kind).memory).Put(kind);
  return job;
}

// A grammar may take half of the memory of a job. So the jobs that run at once and the running
// grammars together stay within the memory that is planned for workers.
JobLimits ModelText::LimitsOf(JobKind kind) const {
  JobLimits limits = limits_;
  if (kind == JobKind::kGrammar) limits.memory /= 2;
  return limits;
}

Result<std::unique_ptr<WorkerProcess>> ModelText::TakeWorker() {
  {
    MutexLock lock(mutex_);
    if (!idle_.empty()) {
      auto worker = std::move(idle_.back());
      idle_.pop_back();
      return worker;
    }
  }
  return host_->Fork();
}

// A worker keeps a low priority. A worker that got one is not used again and ends here.
void ModelText::ReturnWorker(std::unique_ptr<WorkerProcess> worker) {
  if (worker->demoted()) return;
  MutexLock lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(worker));
}

Result<std::string> ModelText::CallWorker(WorkerProcess* worker, JobKind kind, WireWriter* job,
                                          const JobContext& context) {
  bool closed = false;
  const auto cancelled = [&] {
    closed = slots_->closed();
    return closed || (context.cancelled && context.cancelled());
  };
  auto answer = worker->Call(job->Take(), LimitsOf(kind), cancelled);
  if (closed) return Unavailable("the server is shutting down");
  return answer;
}

Result<std::string> ModelText::Run(JobKind kind, WireWriter* job, const JobContext& context) {
  EG_ASSIGN_OR_RETURN(const JobSlots::Slot slot, slots_->Acquire(context));
  EG_ASSIGN_OR_RETURN(auto worker, TakeWorker());
  EG_ASSIGN_OR_RETURN(const std::string answer, CallWorker(worker.get(), kind, job, context));
  ReturnWorker(std::move(worker));
  return OpenAnswer(answer);
}

Result<ChatPrompt> ModelText::EncodeChat(const Conversation& conversation, int64_t max_tokens,
                                         const std::vector<int>& image_rows,
                                         const JobContext& context) {
  WireWriter job = NewJob(JobKind::kEncodeChat);
  PutConversation(conversation, &job);
  job.Put(max_tokens).PutVector(image_rows);
  EG_ASSIGN_OR_RETURN(const std::string result, Run(JobKind::kEncodeChat, &job, context));
  WireReader reader(result);
  ChatPrompt prompt;
  prompt.ids = reader.GetVector<int32_t>();
  prompt.image_positions = reader.GetVector<int>();
  prompt.reasoning_open = reader.GetBool();
  const auto placed = static_cast<int>(prompt.image_positions.size());
  if (!reader.ok() || placed != conversation.num_images()) return Malformed();
  return prompt;
}

Result<std::vector<int32_t>> ModelText::EncodeText(std::string_view text, int64_t max_tokens,
                                                   const JobContext& context, TextOptions options) {
  WireWriter job = NewJob(JobKind::kEncodeText);
  job.PutString(text).Put(max_tokens).Put(options.parse_special).Put(options.add_special);
  EG_ASSIGN_OR_RETURN(const std::string result, Run(JobKind::kEncodeText, &job, context));
  WireReader reader(result);
  auto ids = reader.GetVector<int32_t>();
  if (!reader.ok()) return Malformed();
  return ids;
}

Result<std::vector<std::optional<std::vector<int32_t>>>> ModelText::EncodeTexts(
    const std::vector<std::string_view>& texts, int64_t max_tokens, bool cut,
    const JobContext& context) {
  std::vector<std::optional<std::vector<int32_t>>> all;
  while (all.size() < texts.size()) {
    const size_t count = TextsOfJob(texts, all.size());
    WireWriter job = NewJob(JobKind::kEncodeTexts);
    job.Put(max_tokens).Put(cut).Put(static_cast<uint32_t>(count));
    for (size_t i = 0; i < count; ++i) job.PutString(texts[all.size() + i]);
    EG_ASSIGN_OR_RETURN(const std::string result, Run(JobKind::kEncodeTexts, &job, context));
    WireReader reader(result);
    for (size_t i = 0; i < count; ++i) {
      const bool fits = reader.GetBool();
      auto ids = reader.GetVector<int32_t>();
      all.push_back(fits ? std::optional(std::move(ids)) : std::nullopt);
    }
    if (!reader.ok()) return Malformed();
  }
  return all;
}

Result<EncodedQuestions> ModelText::EncodeQuestions(const QuestionedChat& chat, int64_t max_tokens,
                                                    const std::vector<int>& image_rows,
                                                    const JobContext& context) {
  WireWriter job = NewJob(JobKind::kEncodeQuestions);
  job.Put(max_tokens).PutVector(image_rows);
  PutQuestions(chat, &job);
  EG_ASSIGN_OR_RETURN(const std::string result, Run(JobKind::kEncodeQuestions, &job, context));
  WireReader reader(result);
  EncodedQuestions encoded = GetEncodedQuestions(&reader);
  const auto placed = static_cast<int>(encoded.prompt.image_positions.size());
  bool good = reader.ok() && placed == chat.conversation.num_images() &&
              encoded.questions.size() == chat.questions.size();
  for (size_t i = 0; good && i < encoded.questions.size(); ++i) {
    good = encoded.questions[i].options.size() == chat.questions[i][0].options.size();
  }
  if (!good) return Malformed();
  return encoded;
}

Result<PreparedImage> ModelText::PrepareImage(std::string_view file, int side,
                                              const JobContext& context) {
  WireWriter job = NewJob(JobKind::kPrepareImage);
  job.PutString(file).Put(side).Put(limits_.memory - kBesideDecoder);
  EG_ASSIGN_OR_RETURN(const std::string result, Run(JobKind::kPrepareImage, &job, context));
  WireReader reader(result);
  PreparedImage image;
  image.pixels = reader.GetVector<uint8_t>();
  image.sha256 = reader.GetString();
  const size_t expected = size_t{3} * static_cast<size_t>(side) * static_cast<size_t>(side);
  if (!reader.ok() || image.pixels.size() != expected) return Malformed();
  return image;
}

Result<std::unique_ptr<TokenConstraint>> ModelText::StartGrammar(const GrammarSpec& spec,
                                                                 const JobContext& context) {
  std::unique_ptr<WorkerProcess> worker;
  std::string result;
  {
    EG_ASSIGN_OR_RETURN(const JobSlots::Slot slot, slots_->Acquire(context));
    EG_ASSIGN_OR_RETURN(worker, host_->Fork());
    WireWriter job = NewJob(JobKind::kGrammar);
    job.Put(spec.kind).PutString(spec.text);
    EG_ASSIGN_OR_RETURN(const std::string answer,
                        CallWorker(worker.get(), JobKind::kGrammar, &job, context));
    EG_ASSIGN_OR_RETURN(result, OpenAnswer(answer));
  }
  WireReader reader(result);
  const auto memory = reader.Get<int64_t>();
  auto mask = reader.GetVector<uint32_t>();
  if (!reader.ok()) return Malformed();
  MemoryBudget::Lease lease = budget_->MakeLease();
  // The kernel enforces this limit, but not in builds with sanitizers.
  const int64_t most = LimitsOf(JobKind::kGrammar).memory + kGrammarGrowth;
  EG_RETURN_IF_ERROR(
      lease.Grow(std::clamp(memory, int64_t{0}, most), Clock::now() + MemoryBudget::kWait));
  return MakeGrammarConstraint(std::move(worker), std::move(mask), std::move(lease));
}

}  // namespace edgegate
