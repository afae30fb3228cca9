#include "server/openai/response.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/text/utf8.h"

namespace edgegate {
namespace {

using nlohmann::json;

std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string NewId(bool chat) {
  std::random_device device;
  return fmt::format("{}{:08x}{:08x}{:08x}", chat ? "chatcmpl-" : "cmpl-", device(), device(),
                     device());
}

int CodePoints(const std::string& text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

json ModelObject(const ServedModel& model) {
  return {{"id", model.name},
          {"object", "model"},
          {"created", model.created},
          {"owned_by", "edgegate"},
          {"max_model_len", model.limits.max_model_len}};
}

}  // namespace

struct ResponseWriter::Impl {
  const ApiRequest& request;
  const ServedModel& model;
  const Generation& generation;
  const std::string id = NewId(request.chat);
  const int64_t created = std::chrono::duration_cast<std::chrono::seconds>(
                              std::chrono::system_clock::now().time_since_epoch())
                              .count();
  struct Collected {
    std::string text;
    std::vector<SampledToken> tokens;
    std::string finish_reason;
    json stop_reason;
    int text_offset = 0;       // of the next streamed token
    bool prompt_sent = false;  // its echo's log-probabilities, in a stream
  };
  std::vector<Collected> choices{static_cast<size_t>(generation.num_choices())};

  std::string TokenText(int32_t token) const {
    if (request.return_tokens_as_token_ids) return fmt::format("token_id:{}", token);
    return ReplaceInvalidUtf8(model.text->vocabulary().TokenBytes(token));
  }

  json ChatToken(int32_t token, float logprob) const {
    json bytes = json::array();
    for (char c : model.text->vocabulary().TokenBytes(token))
      bytes.push_back(static_cast<uint8_t>(c));
    return {{"token", TokenText(token)}, {"logprob", logprob}, {"bytes", bytes}};
  }

  json ChatLogprobs(const std::vector<SampledToken>& tokens) const {
    json content = json::array();
    for (const SampledToken& t : tokens) {
      json entry = ChatToken(t.token, t.logprob);
      entry["top_logprobs"] = json::array();
      for (const TokenLogprob& top : t.top) {
        entry["top_logprobs"].push_back(ChatToken(top.token, top.logprob));
      }
      content.push_back(std::move(entry));
    }
    return {{"content", content}};
  }

  // A token of the legacy log-probabilities; a prompt's first has none.
  void AddLegacy(const SampledToken& t, bool known, int* offset, json* out) const {
    const std::string text = TokenText(t.token);
    json top = known ? json::object() : json(nullptr);
    for (const TokenLogprob& alternative : t.top) {
      // Ids with the same text: the more likely one stays.
      top.emplace(TokenText(alternative.token), alternative.logprob);
    }
    if (known) top.emplace(text, t.logprob);
    (*out)["tokens"].push_back(text);
    (*out)["token_logprobs"].push_back(known ? json(t.logprob) : json(nullptr));
    (*out)["top_logprobs"].push_back(std::move(top));
    (*out)["text_offset"].push_back(*offset);
    *offset += CodePoints(text);
  }

  json LegacyLogprobs(int choice, bool with_prompt, const std::vector<SampledToken>& tokens,
                      int* offset) const {
    json out = {{"tokens", json::array()},
                {"token_logprobs", json::array()},
                {"top_logprobs", json::array()},
                {"text_offset", json::array()}};
    if (with_prompt) {
      AddLegacy(SampledToken{generation.prompt(choice)[0], 0, 0, {}}, false, offset, &out);
      for (const SampledToken& t : generation.prompt_logprobs(choice)) {
        AddLegacy(t, true, offset, &out);
      }
    }
    for (const SampledToken& t : tokens) AddLegacy(t, true, offset, &out);
    return out;
  }

  std::string PromptText(int choice) const {
    const auto& prompt = request.prompts[static_cast<size_t>(choice / request.n)];
    if (const auto* text = std::get_if<std::string>(&prompt)) return *text;
    return model.text->vocabulary().Decode(std::get<std::vector<int32_t>>(prompt), false);
  }

  static json Ids(const std::vector<SampledToken>& tokens) {
    json ids = json::array();
    for (const SampledToken& t : tokens) ids.push_back(t.token);
    return ids;
  }

  json StopReason(const ChoiceEvent& event) const {
    if (event.stop_string) return *event.stop_string;
    const auto& own = request.stop_token_ids;
    const bool asked =
        event.stop_token && std::find(own.begin(), own.end(), *event.stop_token) != own.end();
    return asked ? json(*event.stop_token) : json(nullptr);
  }

  json Envelope(bool chunk) const {
    const char* object =
        request.chat ? (chunk ? "chat.completion.chunk" : "chat.completion") : "text_completion";
    return {{"id", id},
            {"object", object},
            {"created", created},
            {"model", model.name},
            {"choices", json::array()}};
  }

  json Usage() const {
    const GenerationUsage& u = generation.usage();
    return {{"prompt_tokens", u.prompt_tokens},
            {"completion_tokens", u.completion_tokens},
            {"total_tokens", u.prompt_tokens + u.completion_tokens},
            {"prompt_tokens_details",
             {{"cached_tokens", u.cached_tokens}, {"image_tokens", u.image_tokens}}}};
  }

  json Timings() const {
    const GenerationUsage& u = generation.usage();
    auto rate = [](int count, double seconds) { return seconds > 0 ? count / seconds : 0.0; };
    return {{"queue_ms", u.timings.queue_s * 1e3},
            {"encode_ms", u.timings.encode_s * 1e3},
            {"images_encoded", u.timings.images_encoded},
            {"prefill_ms", u.timings.prefill_s * 1e3},
            {"decode_ms", u.timings.decode_s * 1e3},
            {"prompt_n", u.prompt_tokens},
            {"predicted_n", u.completion_tokens},
            {"draft_n", u.timings.guessed_tokens},
            {"draft_n_accepted", u.timings.guessed_right},
            {"prefill_per_second", rate(u.prompt_tokens - u.cached_tokens, u.timings.prefill_s)},
            {"decode_per_second",
             rate(std::max(0, u.completion_tokens - generation.num_choices()), u.timings.decode_s)},
            {"preemptions", u.timings.preemptions}};
  }

  std::string FinishChunk(json choice) const {
    json chunk = Envelope(true);
    chunk["choices"].push_back(std::move(choice));
    if (request.include_usage) chunk["usage"] = nullptr;
    return Dump(chunk);
  }
};

ResponseWriter::ResponseWriter(const ApiRequest& request, const ServedModel& model,
                               const Generation& generation)
    : impl_(new Impl{request, model, generation}) {}

std::vector<std::string> ResponseWriter::FirstChunks() {
  std::vector<std::string> chunks;
  for (int i = 0; i < impl_->generation.num_choices(); ++i) {
    json choice = {{"index", i}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
    if (impl_->request.chat) {
      choice["delta"] = {{"role", "assistant"}, {"content", ""}};
    } else if (impl_->request.echo) {
      choice["text"] = impl_->PromptText(i);
    } else if (!impl_->request.return_token_ids) {
      continue;
    } else {
      choice["text"] = "";
    }
    if (impl_->request.return_token_ids) choice["prompt_token_ids"] = impl_->generation.prompt(i);
    chunks.push_back(impl_->FinishChunk(std::move(choice)));
  }
  return chunks;
}

std::string ResponseWriter::Chunk(const ChoiceEvent& event) {
  const ApiRequest& r = impl_->request;
  auto& state = impl_->choices[static_cast<size_t>(event.choice)];
  const bool wants_tokens = (r.logprobs || r.return_token_ids) && !event.tokens.empty();
  if (event.text.empty() && event.finish_reason.empty() && !wants_tokens) return {};
  json choice = {{"index", event.choice}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
  if (r.chat) {
    choice["delta"] = event.text.empty() ? json::object() : json{{"content", event.text}};
    if (r.logprobs) choice["logprobs"] = impl_->ChatLogprobs(event.tokens);
  } else {
    choice["text"] = event.text;
    if (r.logprobs) {
      choice["logprobs"] = impl_->LegacyLogprobs(event.choice, r.echo && !state.prompt_sent,
                                                 event.tokens, &state.text_offset);
      state.prompt_sent = true;
    }
  }
  if (r.return_token_ids) choice["token_ids"] = Impl::Ids(event.tokens);
  if (!event.finish_reason.empty()) {
    choice["finish_reason"] = event.finish_reason;
    choice["stop_reason"] = impl_->StopReason(event);
  }
  return impl_->FinishChunk(std::move(choice));
}

std::string ResponseWriter::UsageChunk() const {
  json chunk = impl_->Envelope(true);
  chunk["usage"] = impl_->Usage();
  chunk["timings"] = impl_->Timings();
  return Dump(chunk);
}

void ResponseWriter::Collect(const ChoiceEvent& event) {
  auto& state = impl_->choices[static_cast<size_t>(event.choice)];
  state.text += event.text;
  state.tokens.insert(state.tokens.end(), event.tokens.begin(), event.tokens.end());
  if (event.finish_reason.empty()) return;
  state.finish_reason = event.finish_reason;
  state.stop_reason = impl_->StopReason(event);
}

std::string ResponseWriter::Answer() const {
  const ApiRequest& r = impl_->request;
  json answer = impl_->Envelope(false);
  for (int i = 0; i < impl_->generation.num_choices(); ++i) {
    const auto& state = impl_->choices[static_cast<size_t>(i)];
    json choice = {{"index", i},
                   {"logprobs", nullptr},
                   {"finish_reason", state.finish_reason},
                   {"stop_reason", state.stop_reason}};
    if (r.chat) {
      choice["message"] = {{"role", "assistant"}, {"content", state.text}, {"refusal", nullptr}};
      if (r.logprobs) choice["logprobs"] = impl_->ChatLogprobs(state.tokens);
    } else {
      choice["text"] = r.echo ? impl_->PromptText(i) + state.text : state.text;
      int offset = 0;
      if (r.logprobs) {
        choice["logprobs"] = impl_->LegacyLogprobs(i, r.echo, state.tokens, &offset);
      }
    }
    if (r.return_token_ids) {
      choice["token_ids"] = Impl::Ids(state.tokens);
      choice["prompt_token_ids"] = impl_->generation.prompt(i);
    }
    answer["choices"].push_back(std::move(choice));
  }
  if (r.return_token_ids && r.chat) answer["prompt_token_ids"] = impl_->generation.prompt(0);
  answer["usage"] = impl_->Usage();
  answer["timings"] = impl_->Timings();
  return Dump(answer);
}

std::string ModelListJson(const std::vector<const ServedModel*>& models) {
  json data = json::array();
  for (const ServedModel* model : models) data.push_back(ModelObject(*model));
  return Dump({{"object", "list"}, {"data", data}});
}

std::string ModelJson(const ServedModel& model) { return Dump(ModelObject(model)); }

}  // namespace edgegate
