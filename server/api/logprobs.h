// Writes log-probabilities of tokens. Several protocols share their form.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/text/vocabulary.h"
#include "scheduler/request.h"

namespace edgegate {

// Returns the token's text, or "token_id:17" if `as_id` is set.
std::string NameOfToken(int32_t token, const Vocabulary& vocabulary, bool as_id);

// Returns a list with the members token, logprob, bytes and top_logprobs for each token.
nlohmann::json TokenLogprobs(const std::vector<SampledToken>& tokens, const Vocabulary& vocabulary,
                             bool as_ids);

}  // namespace edgegate
