#include "engine/family/decoder/vocabulary.h"

#include <algorithm>
#include <functional>

#include "engine/base/half.h"
#include "engine/base/thread_pool.h"
#include "engine/family/decoder/layer_quantizer.h"
#include "engine/quantize/float_linear.h"
#include "engine/quantize/parallel_passes.h"
#include "engine/quantize/smooth_quant.h"

namespace edgegate {
namespace {

constexpr int kRows = kInt8Block;  // rows that are read at a time

// Reads a tensor of [vocab_size][hidden_size] in blocks of kRows rows. Calls use(block, rows,
// count) for each block, in parallel. `use` may write to `rows`.
template <typename Use>
Status ForBlocks(const ModelSource& source, const TensorSlice& slice, Use use) {
  const ModelConfig& c = source.config();
  std::vector<std::vector<float>> scratch(ThreadPool::CurrentThreads());
  return ParallelForStatus(Int8Blocks(c.vocab_size), [&](int block) -> Status {
    std::vector<float>& rows = scratch[ThreadPool::Index()];
    rows.resize(size_t{kRows} * c.hidden_size);
    const int count = std::min(kRows, c.vocab_size - block * kRows);
    EG_RETURN_IF_ERROR(source.tensors().ReadRows(slice, block * kRows, count, rows.data()));
    use(block, rows.data(), count);
    return {};
  });
}

Result<std::vector<float>> HeadMaxima(const ModelSource& source) {
  const int h = source.config().hidden_size;
  std::vector<std::vector<float>> maxima(ThreadPool::CurrentThreads(),
                                         std::vector<float>(static_cast<size_t>(h)));
  EG_RETURN_IF_ERROR(
      ForBlocks(source, source.decoder().lm_head, [&](int, const float* rows, int count) {
        RaiseToMagnitudes(rows, count, &maxima[ThreadPool::Index()]);
      }));
  for (const auto& part : maxima) RaiseTo(&maxima[0], part);
  return maxima[0];
}

}  // namespace

Status WriteEmbedding(const ModelSource& source, BundleWriter* writer) {
  const ModelConfig& c = source.config();
  const EmbeddingType type = source.decoder().embedding_type();
  const size_t value = type == EmbeddingType::kF32 ? 4 : 2;
  const size_t row_bytes = static_cast<size_t>(c.hidden_size) * value;
  const uint64_t at = writer->Reserve("embedding", static_cast<uint64_t>(c.vocab_size) * row_bytes);
  return ForBlocks(source, source.decoder().embedding,
                   [&](int block, const float* rows, int count) {
                     const uint64_t offset = at + static_cast<uint64_t>(block) * kRows * row_bytes;
                     if (type == EmbeddingType::kF32) {
                       return writer->WriteAt(offset, rows, static_cast<size_t>(count) * row_bytes);
                     }
                     std::vector<uint16_t> halves(static_cast<size_t>(count) * c.hidden_size);
                     if (type == EmbeddingType::kBf16) {
                       std::transform(rows, rows + halves.size(), halves.begin(), FloatToBf16);
                     } else {
                       std::transform(rows, rows + halves.size(), halves.begin(), FloatToF16);
                     }
                     writer->WriteAt(offset, halves.data(), halves.size() * 2);
                   });
}

Status PackHead(const ModelSource& source, const std::vector<float>& inputs,
                MakeLinearPacker* make_packer, std::vector<float>* norm, BundleWriter* writer) {
  const ModelConfig& c = source.config();
  const int h = c.hidden_size;
  EG_ASSIGN_OR_RETURN(const std::vector<float> weight_max, HeadMaxima(source));
  const auto factors = SmoothingFactors(ColumnMaxima(inputs, h), weight_max);
  const auto packer = make_packer(writer, "lm_head", {c.vocab_size, h}, {});
  EG_RETURN_IF_ERROR(
      ForBlocks(source, source.decoder().lm_head, [&](int block, float* rows, int count) {
        for (float* row = rows; row != rows + int64_t{count} * h; row += h) {
          std::transform(row, row + h, factors.begin(), row, std::multiplies<>());
        }
        packer->Pack(block, rows, count);
      }));
  packer->Finish();
  DivideRows(norm, factors);
  return {};
}

Status WriteHead(const ModelSource& source, const std::vector<float>& hidden, WeightFormat format,
                 bool narrow, BundleWriter* writer) {
  const ModelConfig& c = source.config();
  std::vector<float> norm(static_cast<size_t>(c.hidden_size));
  EG_RETURN_IF_ERROR(source.tensors().ReadRows(source.decoder().final_norm, 0, 1, norm.data()));
  const std::vector<float> inputs = RmsNormFloat(hidden, norm, c.hidden_size, c.rms_norm_eps);
  const WeightFormatInfo& info = InfoOf(format);
  std::vector<float> head_norm = norm;
  EG_RETURN_IF_ERROR(QuantizerOf(format).write_head(
      source, inputs, narrow ? info.narrow_packer : info.packer, &head_norm, writer));
  writer->Write("state_norm", norm.data(), norm.size() * 4);
  writer->Write("final_norm", head_norm.data(), head_norm.size() * 4);
  return {};
}

}  // namespace edgegate
