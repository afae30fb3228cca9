#include "engine/model/model_config.h"

namespace edgegate {

Status CheckRange(const char* field, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return {};
  return InvalidArgument("{} is {}: must be between {} and {}", field, value, low, high);
}

Status ValidateModelConfig(const ModelConfig& config) {
  // These ranges keep every byte count below 2^63 and every s32 dot product below 2^31.
  EG_RETURN_IF_ERROR(CheckRange("vocab_size", config.vocab_size, 1, 1 << 22));
  EG_RETURN_IF_ERROR(CheckRange("hidden_size", config.hidden_size, 1, 1 << 16));
  EG_RETURN_IF_ERROR(CheckRange("intermediate_size", config.intermediate_size, 1, 1 << 16));
  EG_RETURN_IF_ERROR(CheckRange("num_hidden_layers", config.num_layers, 1, 1024));
  EG_RETURN_IF_ERROR(CheckRange("num_attention_heads", config.num_heads, 1, 1024));
  EG_RETURN_IF_ERROR(CheckRange("num_key_value_heads", config.num_kv_heads, 1, config.num_heads));
  EG_RETURN_IF_ERROR(CheckRange("head_dim", config.head_dim, 1, 1024));
  EG_RETURN_IF_ERROR(CheckRange("num_attention_heads x head_dim", config.q_size(), 1, 1 << 16));
  EG_RETURN_IF_ERROR(
      CheckRange("max_position_embeddings", config.max_position_embeddings, 1, 1 << 24));
  if (config.num_heads % config.num_kv_heads != 0) {
    return InvalidArgument(
        "num_attention_heads is {}: must be a multiple of num_key_value_heads ({})",
        config.num_heads, config.num_kv_heads);
  }
  if (!(config.rms_norm_eps >= 0 && config.rms_norm_eps < 1)) {
    return InvalidArgument("rms_norm_eps is {}: must be between 0 and 1", config.rms_norm_eps);
  }
  const RopeConfig& rope = config.rope;
  EG_RETURN_IF_ERROR(CheckRange("rotary dimension", rope.rotary_dim, 2, config.head_dim));
  if (rope.rotary_dim % 2 != 0) {
    return InvalidArgument("rotary dimension is {}: must be even", rope.rotary_dim);
  }
  if (!(rope.theta > 0 && rope.theta < 1e12)) {
    return InvalidArgument("rope_theta is {}: must be positive", rope.theta);
  }
  if (!rope.frequency_divisors.empty()) {
    if (static_cast<int>(rope.frequency_divisors.size()) != rope.rotary_dim / 2) {
      return InvalidArgument("rope frequency table has {} entries: must be {}",
                             rope.frequency_divisors.size(), rope.rotary_dim / 2);
    }
    for (float divisor : rope.frequency_divisors) {
      if (!(divisor > 0 && divisor < 1e9f)) {
        return InvalidArgument("rope frequency divisor is {}: must be positive", divisor);
      }
    }
  }
  if (!rope.frequency_axes.empty() &&
      static_cast<int>(rope.frequency_axes.size()) != rope.rotary_dim / 2) {
    return InvalidArgument("rope axis table has {} entries: must be {}", rope.frequency_axes.size(),
                           rope.rotary_dim / 2);
  }
  for (const int32_t axis : rope.frequency_axes) {
    EG_RETURN_IF_ERROR(CheckRange("rope axis", axis, 0, 2));
  }
  return {};
}

}  // namespace edgegate
