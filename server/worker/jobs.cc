#include "server/worker/jobs.h"

#include <algorithm>

#include "engine/base/sha256.h"
#include "engine/text/vocabulary.h"
#include "server/media/decode_image.h"
#include "server/worker/conversation_wire.h"
#include "server/worker/question_job.h"

namespace edgegate {
namespace {

Status EncodeChat(const TextModel& model, WireReader* job, WireWriter* result) {
  const Conversation conversation = GetConversation(job);
  const auto max_tokens = job->Get<int64_t>();
  const auto image_rows = job->GetVector<int>();
  if (!job->ok()) return Internal("a worker's job is damaged");
  EG_ASSIGN_OR_RETURN(const ChatPrompt prompt,
                      model.chat_template->Encode(conversation, max_tokens, image_rows));
  result->PutVector(prompt.ids).PutVector(prompt.image_positions).Put(prompt.reasoning_open);
  return {};
}

Status EncodeText(const TextModel& model, WireReader* job, WireWriter* result) {
  const std::string_view text = job->GetString();
  const auto max_tokens = job->Get<int64_t>();
  const auto specials = job->GetBool() ? Tokenizer::Specials::kParse : Tokenizer::Specials::kPlain;
  const bool add_special = job->GetBool();
  if (!job->ok()) return Internal("a worker's job is damaged");
  EG_ASSIGN_OR_RETURN(const auto ids,
                      model.tokenizer->Encode(text, specials, add_special, max_tokens));
  result->PutVector(ids);
  return {};
}

// Cuts ids to `most`, and keeps the special tokens at their end. `specials`: the ids of the empty
// text.
void CutIds(const std::vector<int32_t>& specials, size_t most, std::vector<int32_t>* ids) {
  if (ids->size() <= most) return;
  const auto same = std::mismatch(specials.rbegin(), specials.rend(), ids->rbegin(), ids->rend());
  const auto last = std::min(same.first - specials.rbegin(), static_cast<int64_t>(most));
  ids->resize(most);
  std::copy(specials.end() - last, specials.end(), ids->end() - last);
}

Status EncodeTexts(const TextModel& model, WireReader* job, WireWriter* result) {
  const Tokenizer& tokenizer = *model.tokenizer;
  const auto most = job->Get<int64_t>();
  const bool cut = job->GetBool();
  const auto count = job->Get<uint32_t>();
  EG_ASSIGN_OR_RETURN(const auto specials, tokenizer.Encode("", Tokenizer::Specials::kParse, true));
  for (uint32_t i = 0; i < count && job->ok(); ++i) {
    auto ids = tokenizer.Encode(job->GetString(), Tokenizer::Specials::kParse, true,
                                cut ? Tokenizer::kNoLimit : most);
    if (!ids.ok() && ids.status().code() != StatusCode::kResourceExhausted) return ids.status();
    if (ids.ok() && cut) CutIds(specials, static_cast<size_t>(most), &*ids);
    const bool fits = ids.ok() && std::ssize(*ids) <= most;
    result->Put(fits).PutVector(fits ? *ids : std::vector<int32_t>());
  }
  return job->ok() ? Status() : Internal("a worker's job is damaged");
}

Status PrepareImageFile(WireReader* job, WireWriter* result) {
  const std::string_view file = job->GetString();
  const int size = job->Get<int>();
  DecodeLimits limits;
  limits.max_memory = job->Get<int64_t>();
  auto decoded = DecodeAndPrepare(file, size, limits);
  if (decoded.status().code() == StatusCode::kResourceExhausted) {
    return InvalidArgument("decoding it takes more than {} MiB of memory (server.job_memory_mb)",
                           limits.max_memory >> 20);
  }
  if (!decoded.ok()) return decoded.status();
  const std::vector<uint8_t> pixels = *std::move(decoded);
  result->PutVector(pixels);
  Sha256 hash;
  hash.Update(pixels.data(), pixels.size());
  result->PutString(hash.Finish());
  return {};
}

// Returns the name of the image token.
Result<std::string> ImageToken(int32_t id, const Tokenizer& tokenizer) {
  if (id < 0) id = tokenizer.TokenId("<|begin_of_image|>");
  if (id < 0 || !tokenizer.IsSpecial(id)) {
    return DataLoss("the tokenizer has no special token for images (boi_token_id {})", id);
  }
  return std::string(tokenizer.TokenBytes(id));
}

}  // namespace

std::string LoadMessage(const TextModelSource& source) {
  WireWriter message;
  message.Put(source.assets->kind)
      .PutString(source.assets->model)
      .PutString(source.assets->tokenizer_config)
      .PutString(source.assets->chat_template)
      .Put(source.vocab_size)
      .PutVector(source.eos_token_ids)
      .Put(source.image_token_id)
      .Put(source.takes_images)
      .PutString(source.call_format);
  return message.Take();
}

Result<TextModel> LoadTextModel(std::string_view message, WireWriter* answer) {
  WireReader reader(message);
  TokenizerAssets assets;
  assets.kind = reader.Get<TokenizerAssets::Kind>();
  assets.model = reader.GetString();
  assets.tokenizer_config = reader.GetString();
  assets.chat_template = reader.GetString();
  const int vocab_size = reader.Get<int>();
  const auto eos = reader.GetVector<int32_t>();
  const auto image_token = reader.Get<int32_t>();
  const bool takes_images = reader.GetBool();
  const std::string call_format(reader.GetString());
  TextModel model;
  EG_ASSIGN_OR_RETURN(model.tokenizer, Tokenizer::Make(assets));
  std::string image;
  if (takes_images) {
    EG_ASSIGN_OR_RETURN(image, ImageToken(image_token, *model.tokenizer));
  }
  auto chat = ChatTemplate::Make(assets, *model.tokenizer, image, call_format);
  if (chat.ok()) {
    model.chat_template = *std::move(chat);
  } else if (chat.status().code() != StatusCode::kUnimplemented) {
    return chat.status();
  }
  model.grammars = std::make_unique<Grammars>(*model.tokenizer, vocab_size, eos);
  const AnswerTraits traits = model.chat_template ? model.chat_template->traits() : AnswerTraits();
  if (!traits.marks.empty()) {
    model.marked_grammars =
        std::make_unique<Grammars>(*model.tokenizer, vocab_size, eos, traits.marks);
  }
  const VocabularyTable table(*model.tokenizer);
  answer->PutString(table.bytes())
      .PutVector(table.ends())
      .PutVector(table.kinds())
      .Put(table.StripsLeadingSpace())
      .Put(model.chat_template != nullptr);
  PutTraits(traits, answer);
  PutFacts(model.chat_template ? model.chat_template->facts() : TemplateFacts(), answer);
  return model;
}

std::string AnswerMessage(const Status& status, const WireWriter& result) {
  WireWriter message;
  message.Put(status.code()).PutString(status.message()).PutString(result.fields());
  return message.Take();
}

Status RunJob(const TextModel& model, JobKind kind, WireReader* job, WireWriter* result) {
  switch (kind) {
    case JobKind::kEncodeChat:
      return EncodeChat(model, job, result);
    case JobKind::kEncodeText:
      return EncodeText(model, job, result);
    case JobKind::kEncodeTexts:
      return EncodeTexts(model, job, result);
    case JobKind::kEncodeQuestions:
      return EncodeQuestions(model, job, result);
    case JobKind::kPrepareImage:
      return PrepareImageFile(job, result);
    case JobKind::kGrammar:
      break;
  }
  return Internal("no such job");
}

}  // namespace edgegate
