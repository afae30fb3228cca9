// The job that tokenizes a conversation and questions about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/text/chat_template.h"
#include "server/worker/jobs.h"
#include "server/worker/wire.h"

namespace edgegate {

// A text that asks a question, and the texts that may begin the answer.
struct QuestionForm {
  std::string text;
  std::vector<std::string> options;
};

// A conversation whose last message has the mark `mark` where each question stands in turn.
struct QuestionedChat {
  Conversation conversation;
  std::string mark;
  // The forms of each question, at least one, with as many options each. The first form whose
  // options begin with different tokens is taken, or else the last one.
  std::vector<std::vector<QuestionForm>> questions;
};

struct EncodedQuestion {
  std::vector<int32_t> ids;  // from the question to the begin of the answer
  std::vector<std::vector<int32_t>> options;
};

struct EncodedQuestions {
  ChatPrompt prompt;  // what all questions share
  std::vector<EncodedQuestion> questions;
};

void PutQuestions(const QuestionedChat& chat, WireWriter* message);
// Reads the result of the job. Damage is seen in message->ok().
EncodedQuestions GetEncodedQuestions(WireReader* message);

// Runs the job, in a worker. kResourceExhausted: the prompt or a question has more tokens than the
// limit.
Status EncodeQuestions(const TextModel& model, WireReader* job, WireWriter* result);

}  // namespace edgegate
