#include "engine/family/bert/quantize.h"

#include <vector>

#include "engine/family/bert/float_reference.h"
#include "engine/quantize/linear_packer.h"
#include "engine/quantize/read_tensors.h"
#include "engine/quantize/work_sizes.h"

namespace edgegate::bert {
namespace {

double EmbeddingWork(const Config& c) {
  return double{1} * (c.vocabulary + c.positions) * c.hidden_size * kConvertWork;
}

double LayerWork(const Config& c) {
  const double width = c.hidden_size;
  return 2 *
         (Int8LinearWork(4 * width, width, 0) + 2 * Int8LinearWork(c.intermediate_size, width, 0));
}

void WriteFloats(BundleWriter* writer, const std::string& name, const std::vector<float>& values) {
  writer->Write(name, values.data(), values.size() * sizeof(float));
}

void WriteNorm(BundleWriter* writer, const std::string& name, const std::vector<float>& weight,
               const std::vector<float>& bias) {
  WriteFloats(writer, name + ".weight", weight);
  WriteFloats(writer, name + ".bias", bias);
}

Status WriteEmbeddings(const Config& c, const TensorFiles& files, const Tensors& t,
                       BundleWriter* writer) {
  std::vector<float> words, positions, type, norm, bias;
  EG_RETURN_IF_ERROR(ReadTensors(files, {{t.words, &words},
                                         {t.positions, &positions},
                                         {t.token_type, &type},
                                         {t.norm, &norm},
                                         {t.norm_bias, &bias}}));
  for (size_t i = 0; i < positions.size(); ++i) positions[i] += type[i % c.hidden_size];
  WriteFloats(writer, "encoder.words", words);
  WriteFloats(writer, "encoder.positions", positions);
  WriteNorm(writer, "encoder.norm", norm, bias);
  return {};
}

void WriteLayer(const Config& c, const FloatLayer& w, int index, BundleWriter* writer) {
  const std::string prefix = fmt::format("encoder.layers.{}.", index);
  const auto pack = [&](const char* name, std::initializer_list<const std::vector<float>*> rows,
                        int columns, std::vector<float> bias) {
    PackLinear(writer, prefix + name, RowsOf(rows, columns), columns, std::move(bias),
               MakeInt16Packer);
  };
  pack("qkv", {&w.q, &w.k, &w.v}, c.hidden_size, Concatenate({&w.q_bias, &w.k_bias, &w.v_bias}));
  pack("out", {&w.out}, c.hidden_size, w.out_bias);
  pack("up", {&w.up}, c.hidden_size, w.up_bias);
  pack("down", {&w.down}, c.intermediate_size, w.down_bias);
  WriteNorm(writer, prefix + "attention_norm", w.attention_norm, w.attention_norm_bias);
  WriteNorm(writer, prefix + "mlp_norm", w.mlp_norm, w.mlp_norm_bias);
}

}  // namespace

double EstimateWork(const Config& c) { return EmbeddingWork(c) + c.num_layers * LayerWork(c); }

Status Quantize(const Config& c, const TensorFiles& files, const Tensors& tensors,
                BundleWriter* writer, const std::function<Status(double work)>& progress) {
  EG_RETURN_IF_ERROR(WriteEmbeddings(c, files, tensors, writer));
  EG_RETURN_IF_ERROR(progress(EmbeddingWork(c)));
  FloatLayer w;
  for (int layer = 0; layer < c.num_layers; ++layer) {
    EG_RETURN_IF_ERROR(writer->status());
    EG_RETURN_IF_ERROR(ReadLayer(files, tensors.layers[layer], &w));
    WriteLayer(c, w, layer, writer);
    writer->StartWriteback();
    EG_RETURN_IF_ERROR(progress(LayerWork(c)));
  }
  return {};
}

}  // namespace edgegate::bert
