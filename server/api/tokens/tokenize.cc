#include "server/api/tokens/tokenize.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "engine/text/utf8.h"
#include "server/api/answer_call.h"
#include "server/api/endpoint.h"
#include "server/api/json/dump.h"
#include "server/api/json/json_reader.h"
#include "server/api/logprobs.h"
#include "server/api/openai/chat_completions.h"
#include "server/api/openai/errors.h"
#include "server/api/tokens/limits.h"
#include "server/api/warnings_member.h"

namespace edgegate {
namespace {

using json = nlohmann::ordered_json;
using Form = TokenizeRequest::Form;
using Clock = std::chrono::steady_clock;
using Ids = std::vector<int32_t>;

const char* InputField(Form form) {
  switch (form) {
    case Form::kPrompt:
      return "prompt";
    case Form::kMessages:
      return "messages";
    case Form::kContent:
      break;
  }
  return "content";
}

// Reads which of the members with an input the request has.
Form ParseForm(Fields* fields) {
  std::optional<Form> form;
  for (const Form one : {Form::kPrompt, Form::kMessages, Form::kContent}) {
    if (fields->Raw(InputField(one)).is_null()) continue;
    if (form) {
      fields->Fail(BadField(InputField(one), fmt::format("'{}' and '{}' exclude each other.",
                                                         InputField(*form), InputField(one))));
    }
    form = one;
  }
  if (!form) fields->Fail(MissingField("prompt"));
  return form.value_or(Form::kPrompt);
}

void ParseText(Fields* fields, TokenizeRequest* request) {
  const std::string field = InputField(request->form);
  request->text = fields->String(field).value_or("");
  if (request->text.size() <= kMostTokenizedBytes) return;
  fields->Fail(BadField(field, fmt::format("Invalid '{}': it has {} bytes; at most {} are read.",
                                           field, request->text.size(), kMostTokenizedBytes)));
}

// Refuses members that would change the tokens of a chat.
void RefuseUnsupported(Fields* fields) {
  if (fields->Bool("add_special_tokens").value_or(false)) {
    fields->Fail(BadField("add_special_tokens",
                          "'add_special_tokens' is not supported where 'messages' are given."));
  }
  if (!fields->Raw("chat_template").is_null()) {
    fields->Fail(BadField("chat_template",
                          "'chat_template' is not supported: the model's own template is used."));
  }
}

void ParseMembers(Fields* fields, TokenizeRequest* request) {
  TextOptions& options = request->options;
  request->call.model = fields->String("model").value_or("");
  request->form = ParseForm(fields);
  if (fields->error()) return;
  switch (request->form) {
    case Form::kPrompt:
      ParseText(fields, request);
      options.add_special = fields->Bool("add_special_tokens").value_or(true);
      break;
    case Form::kMessages:
      ParseChatInput(fields, &request->call);
      RefuseUnsupported(fields);
      break;
    case Form::kContent:
      ParseText(fields, request);
      options.add_special = fields->Bool("add_special").value_or(false);
      options.parse_special = fields->Bool("parse_special").value_or(true);
      break;
  }
  const char* pieces = request->form == Form::kContent ? "with_pieces" : "return_token_strs";
  request->pieces = fields->Bool(pieces).value_or(false);
}

std::variant<Ids, CallError> IdsOf(const ApiServices& services, const TokenizeRequest& request,
                                   const ServedModel& model, Exchange& exchange) {
  const Call& call = request.call;
  if (request.form == Form::kMessages) return EncodePrompt(services, call, model, exchange);
  const JobContext context{call.caller.client, [&] { return exchange.gone(kJobPatience); }};
  auto ids = model.text->EncodeText(request.text, kMostTokenIds, context, request.options);
  if (ids.ok()) return *std::move(ids);
  const std::string field = InputField(request.form);
  if (ids.status().code() != StatusCode::kResourceExhausted) return AtField(field, ids.status());
  return BadField(field,
                  fmt::format("Invalid '{}': it has more than {} tokens.", field, kMostTokenIds));
}

// Returns about the number of bytes of the answer, and of its copies in memory.
int64_t BytesOf(const TokenizeRequest& request, const ServedModel& model, const Ids& ids) {
  constexpr int64_t kId = 16, kPiece = 64, kCopies = 4;
  int64_t bytes = kId * std::ssize(ids);
  if (!request.pieces) return bytes;
  for (const int32_t id : ids) {
    bytes += kPiece + kCopies * std::ssize(model.text->vocabulary().TokenBytes(id));
  }
  return bytes;
}

// Writes a piece as llama.cpp does: its text, or its bytes if they are not UTF-8.
std::string Piece(int32_t id, const Vocabulary& vocabulary) {
  const std::string bytes = vocabulary.TokenBytes(id);
  json piece = json::array();
  if (IsValidUtf8(bytes)) {
    piece = bytes;
  } else {
    for (const char c : bytes) piece.push_back(static_cast<uint8_t>(c));
  }
  return fmt::format(R"({{"id":{},"piece":{}}})", id, DumpJson(piece));
}

// Writes an array with a text for each id.
template <class Text>
std::string List(const Ids& ids, const Text& text) {
  std::string out = "[";
  for (const int32_t id : ids) {
    if (out.size() > 1) out.push_back(',');
    out += text(id);
  }
  return out + "]";
}

std::string Write(const TokenizeRequest& request, const ServedModel& model, const Ids& ids) {
  const Vocabulary& vocabulary = model.text->vocabulary();
  const auto number = [](int32_t id) { return std::to_string(id); };
  const std::string warnings = WarningsMember(request.warnings);
  if (request.form == Form::kContent) {
    const std::string tokens = request.pieces
                                   ? List(ids, [&](int32_t id) { return Piece(id, vocabulary); })
                                   : List(ids, number);
    return fmt::format(R"({{"tokens":{}{}}})", tokens, warnings);
  }
  const std::string texts =
      request.pieces
          ? List(ids,
                 [&](int32_t id) { return DumpJson(json(NameOfToken(id, vocabulary, false))); })
          : "null";
  return fmt::format(R"({{"count":{},"max_model_len":{},"tokens":{},"token_strs":{}{}}})",
                     ids.size(), model.limits.max_model_len, List(ids, number), texts, warnings);
}

void AnswerTokenize(const ApiServices& services, Exchange& exchange) {
  MemoryBudget::Lease lease = services.memory->MakeLease();
  auto body = ReadBody(exchange, &lease);
  if (const auto* error = std::get_if<HttpError>(&body)) return exchange.Fail(*error);
  auto parsed = ParseTokenize(std::get<std::string>(body));
  body = std::string();
  if (const auto* error = std::get_if<CallError>(&parsed)) return exchange.Fail(ToHttp(*error));
  auto& request = std::get<TokenizeRequest>(parsed);
  if (const auto error = CheckStrict(services, request.warnings)) {
    return exchange.Fail(ToHttp(*error));
  }
  request.call.caller = exchange.caller();
  const auto found = ModelOrOnly(services, request.call.model, exchange);
  if (const auto* error = std::get_if<CallError>(&found)) return exchange.Fail(ToHttp(*error));
  const ServedModel& model = *std::get<const ServedModel*>(found);
  const auto encoded = IdsOf(services, request, model, exchange);
  if (const auto* error = std::get_if<CallError>(&encoded)) return exchange.Fail(ToHttp(*error));
  const Ids& ids = std::get<Ids>(encoded);
  const int64_t bytes = BytesOf(request, model, ids);
  if (bytes > kFreeAnswerBytes) {
    const Status grown = lease.Grow(bytes, Clock::now() + MemoryBudget::kWait);
    if (!grown.ok()) return exchange.Fail(ToHttp({grown}));
  }
  exchange.Note(
      fmt::format("{}, {} tokens{}", model.name, ids.size(), WarningsNote(request.warnings)));
  exchange.Answer(Write(request, model, ids));
}

}  // namespace

std::variant<TokenizeRequest, CallError> ParseTokenize(std::string_view body) {
  const auto read = ReadObject(body);
  if (const auto* error = std::get_if<CallError>(&read)) return *error;
  Fields fields(std::get<json>(read));
  TokenizeRequest request;
  ParseMembers(&fields, &request);
  if (auto error = fields.Finish()) return *std::move(error);
  request.warnings = fields.warnings();
  return request;
}

void AddTokenize(const ApiServices& services, Router* router) {
  router->Add({.method = "POST",
               .path = "/tokenize",
               .scope = Scope::kApi,
               .summary = "The token ids of a text or of a chat.",
               .api = "tokens/tokenize",
               .error_body = OpenAiErrorBody,
               .handle = [&](Exchange& exchange) { AnswerTokenize(services, exchange); }});
}

}  // namespace edgegate
