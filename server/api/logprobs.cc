#include "server/api/logprobs.h"

#include <fmt/format.h>

#include <utility>

#include "engine/text/utf8.h"

namespace edgegate {
namespace {

using nlohmann::json;

json Entry(int32_t token, float logprob, const Vocabulary& vocabulary, bool as_id) {
  json bytes = json::array();
  for (char c : vocabulary.TokenBytes(token)) bytes.push_back(static_cast<uint8_t>(c));
  return {{"token", NameOfToken(token, vocabulary, as_id)},
          {"logprob", logprob},
          {"bytes", std::move(bytes)}};
}

}  // namespace

std::string NameOfToken(int32_t token, const Vocabulary& vocabulary, bool as_id) {
  if (as_id) return fmt::format("token_id:{}", token);
  return ReplaceInvalidUtf8(vocabulary.TokenBytes(token));
}

json TokenLogprobs(const std::vector<SampledToken>& tokens, const Vocabulary& vocabulary,
                   bool as_ids) {
  json list = json::array();
  for (const SampledToken& t : tokens) {
    json entry = Entry(t.token, t.logprob, vocabulary, as_ids);
    entry["top_logprobs"] = json::array();
    for (const TokenLogprob& top : t.top) {
      entry["top_logprobs"].push_back(Entry(top.token, top.logprob, vocabulary, as_ids));
    }
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace edgegate
