// The jobs that worker processes run, and their messages. A request is a JobKind and the job's
// fields. An answer is a StatusCode, an error message, and, where the code is kOk, the result's
// fields.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"
#include "engine/text/chat_template.h"
#include "engine/text/grammar.h"
#include "engine/text/tokenizer.h"
#include "server/worker/wire.h"

namespace edgegate {

enum class JobKind : uint8_t {
  kEncodeChat,       // Conversation, limit of tokens, rows of images -> ids, positions of images,
                     // whether thoughts are open
  kEncodeText,       // text, limit of tokens, TextOptions -> ids
  kEncodeTexts,      // limit of tokens, whether to cut, texts -> for each whether it fits, ids
  kEncodeQuestions,  // Conversation, mark, limit of tokens, rows of images, forms of questions ->
                     // ids, positions of images, for each question ids, ids of options
  kPrepareImage,     // file, side in pixels, memory of the decoder -> RGB bytes, SHA-256
  kGrammar,          // kind, text -> the first mask; the worker then serves the grammar (below)
};

// Commands to a worker that serves a grammar. Only kAccept is answered: by the sequence and the
// mask of its next token, or by the error.
enum class GrammarCommand : uint8_t {
  kStart,   // sequence: starts at the grammar's start
  kAccept,  // sequence, token
  kDrop,    // sequence: it has ended
};

// One model's tokenizer, template and grammars. Used by one thread.
struct TextModel {
  std::unique_ptr<Tokenizer> tokenizer;
  std::unique_ptr<ChatTemplate> chat_template;  // null: the model has none
  std::unique_ptr<Grammars> grammars;
  // Has the special tokens that are marks in answers. Null: there are none.
  std::unique_ptr<Grammars> marked_grammars;

  const Grammars& GrammarsFor(GrammarSpec::Kind kind) const {
    return kind == GrammarSpec::Kind::kStructure && marked_grammars ? *marked_grammars : *grammars;
  }
};

// The first message to a model host.
struct TextModelSource {
  const TokenizerAssets* assets = nullptr;
  int vocab_size = 0;  // of the logits
  std::vector<int32_t> eos_token_ids;
  int32_t image_token_id = -1;  // -1: the token <|begin_of_image|>
  bool takes_images = false;
  std::string call_format;  // name of the form of calls; empty: detected from the template
};
std::string LoadMessage(const TextModelSource& source);
// Loads the model's text side, in the host. Writes to `answer` a VocabularyTable, a flag (the model
// has a chat template), and the template's traits and facts.
Result<TextModel> LoadTextModel(std::string_view message, WireWriter* answer);

std::string AnswerMessage(const Status& status, const WireWriter& result);

// Runs one job, in a worker. kGrammar is run by ServeGrammar().
Status RunJob(const TextModel& model, JobKind kind, WireReader* job, WireWriter* result);

// Compiles the grammar, answers with its first mask, and obeys commands until the daemon closes
// `socket`.
void ServeGrammar(const TextModel& model, WireReader* job, int socket);

}  // namespace edgegate
