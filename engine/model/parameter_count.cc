#include "engine/model/parameter_count.h"

namespace edgegate {

int64_t CountParameters(const ModelConfig& config) {
  const int64_t hidden = config.hidden_size, mlp = config.intermediate_size;
  const int64_t q = config.q_size(), qkv = q + 2 * int64_t{config.kv_size()};
  int64_t layer = hidden * qkv + q * hidden + 3 * hidden * mlp;
  layer += 2 * hidden + (config.qk_norm ? 2 * config.head_dim : 0);
  if (config.qkv_bias) layer += qkv;
  if (config.o_bias) layer += hidden;
  if (config.mlp_bias) layer += 2 * mlp + hidden;
  const int64_t tables = int64_t{config.vocab_size} * hidden * (config.tied_lm_head ? 1 : 2);
  return tables + config.num_layers * layer + hidden;
}

}  // namespace edgegate
