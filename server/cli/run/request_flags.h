// The flags of `edgegate run` that are members of the API's requests.
#pragma once

namespace edgegate {

struct RequestFlag {
  const char* flag;
  const char* member;
  const char* value;  // its type, for the help
  const char* description;
};

// The parsers of the API read the values, so that flags have the ranges and the errors of the API.
inline constexpr RequestFlag kRequestFlags[] = {
    {"--max-tokens", "max_tokens", "N", "largest number of tokens to generate"},
    {"--temperature", "temperature", "T", "sampling temperature, 0 to 2; 0: greedy"},
    {"--top-p", "top_p", "P", "sample from the most likely tokens with this probability together"},
    {"--top-k", "top_k", "K", "sample from the K most likely tokens; 0: from all"},
    {"--min-p", "min_p", "P", "smallest probability, relative to the most likely token's"},
    {"--repetition-penalty", "repetition_penalty", "X", "above 1: repeat less"},
    {"--presence-penalty", "presence_penalty", "X", "-2 to 2; above 0: repeat less"},
    {"--frequency-penalty", "frequency_penalty", "X", "-2 to 2; above 0: repeat less"},
    {"--seed", "seed", "N", "seed of the sampling; the same seed gives the same answer"},
    {"--reasoning-effort", "reasoning_effort", "EFFORT",
     "effort of thinking: none, minimal, low, medium, high or xhigh"},
    {"--thinking-budget-tokens", "thinking_budget_tokens", "N",
     "largest number of tokens of thoughts; -1: no limit"},
};

}  // namespace edgegate
