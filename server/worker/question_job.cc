#include "server/worker/question_job.h"

#include <set>
#include <utility>

#include "server/worker/conversation_wire.h"

namespace edgegate {
namespace {

QuestionForm GetForm(WireReader* message) {
  QuestionForm form;
  form.text = message->GetString();
  const auto options = message->Get<uint32_t>();
  for (uint32_t i = 0; i < options && message->ok(); ++i) {
    form.options.emplace_back(message->GetString());
  }
  return form;
}

// True if the first token of an answer tells which option it is.
bool FirstTokenDecides(const std::vector<std::vector<int32_t>>& options) {
  std::set<int32_t> seen;
  for (const auto& ids : options) {
    if (ids.empty() || !seen.insert(ids[0]).second) return false;
  }
  return true;
}

Result<std::vector<std::vector<int32_t>>> EncodeOptions(const Tokenizer& tokenizer,
                                                        const std::vector<std::string>& options,
                                                        int64_t most) {
  std::vector<std::vector<int32_t>> all;
  for (const std::string& option : options) {
    EG_ASSIGN_OR_RETURN(auto ids,
                        tokenizer.Encode(option, Tokenizer::Specials::kPlain, false, most));
    all.push_back(std::move(ids));
  }
  return all;
}

Result<std::vector<int32_t>> EncodeText(const Tokenizer& tokenizer, const SplitPrompt& split,
                                        const std::string& text, int64_t most) {
  std::vector<std::string> segments = split.after;
  segments[0] = text + segments[0];
  return tokenizer.EncodeSegments(segments, split.specials, most);
}

}  // namespace

void PutQuestions(const QuestionedChat& chat, WireWriter* message) {
  PutConversation(chat.conversation, message);
  message->PutString(chat.mark).Put(static_cast<uint32_t>(chat.questions.size()));
  for (const auto& forms : chat.questions) {
    message->Put(static_cast<uint32_t>(forms.size()));
    for (const QuestionForm& form : forms) {
      message->PutString(form.text).Put(static_cast<uint32_t>(form.options.size()));
      for (const std::string& option : form.options) message->PutString(option);
    }
  }
}

EncodedQuestions GetEncodedQuestions(WireReader* message) {
  EncodedQuestions all;
  all.prompt.ids = message->GetVector<int32_t>();
  all.prompt.image_positions = message->GetVector<int>();
  const auto count = message->Get<uint32_t>();
  for (uint32_t i = 0; i < count && message->ok(); ++i) {
    EncodedQuestion question;
    question.ids = message->GetVector<int32_t>();
    const auto options = message->Get<uint32_t>();
    for (uint32_t o = 0; o < options && message->ok(); ++o) {
      question.options.push_back(message->GetVector<int32_t>());
    }
    all.questions.push_back(std::move(question));
  }
  return all;
}

Status EncodeQuestions(const TextModel& model, WireReader* job, WireWriter* result) {
  const auto most = job->Get<int64_t>();
  const auto image_rows = job->GetVector<int>();
  const Conversation conversation = GetConversation(job);
  const std::string_view mark = job->GetString();
  const auto count = job->Get<uint32_t>();
  if (!job->ok()) return Internal("a worker's job is damaged");
  const Tokenizer& tokenizer = *model.tokenizer;
  EG_ASSIGN_OR_RETURN(const SplitPrompt split,
                      model.chat_template->EncodeSplit(conversation, mark, most, image_rows));
  result->PutVector(split.before.ids).PutVector(split.before.image_positions).Put(count);
  for (uint32_t i = 0; i < count && job->ok(); ++i) {
    const auto forms = job->Get<uint32_t>();
    QuestionForm form;
    std::vector<std::vector<int32_t>> options;
    bool decided = false;
    for (uint32_t f = 0; f < forms && job->ok(); ++f) {
      QuestionForm next = GetForm(job);
      if (decided) continue;
      form = std::move(next);
      EG_ASSIGN_OR_RETURN(options, EncodeOptions(tokenizer, form.options, most));
      decided = FirstTokenDecides(options);
    }
    EG_ASSIGN_OR_RETURN(const auto ids, EncodeText(tokenizer, split, form.text, most));
    result->PutVector(ids).Put(static_cast<uint32_t>(options.size()));
    for (const auto& one : options) result->PutVector(one);
  }
  return job->ok() ? Status() : Internal("a worker's job is damaged");
}

}  // namespace edgegate
