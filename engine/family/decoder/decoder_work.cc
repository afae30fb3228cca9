#include "engine/family/decoder/decoder_work.h"

#include "engine/quantize/work_sizes.h"

namespace edgegate {

WorkSizes EstimateWork(const ModelConfig& c, WeightFormat format, int token_count) {
  const bool int4 = format == WeightFormat::kInt4;
  const double h = c.hidden_size, f = c.intermediate_size, q = c.q_size(), kv = c.kv_size();
  const double vocabulary = h * c.vocab_size, tokens = token_count;
  WorkSizes work;
  work.embedding = vocabulary * kConvertWork;
  work.head = vocabulary * (kConvertWork + kInt8Work);
  work.layer =
      LinearWork(q + 2 * kv, h, tokens, int4) + LinearWork(h, q, tokens, int4) +
      LinearWork(2 * f, h, tokens, int4) + LinearWork(h, f, tokens, int4) +
      2 * LearnWork(h, tokens, int4) + LearnWork(q, tokens, int4) + LearnWork(f, tokens, int4) +
      tokens * tokens * (q * 2 * kFlopWork + c.num_heads * kExpWork / 2) + tokens * f * kExpWork;
  return work;
}

}  // namespace edgegate
