#include "engine/family/bert/tensors.h"

namespace edgegate::bert {
namespace {

// A row of the table: a tensor, and its name below its layer.
struct Row {
  TensorSlice LayerTensors::*weight;
  TensorSlice LayerTensors::*bias;
  const char* name;
  int64_t rows;  // 1: a norm
  int64_t cols;
};

std::vector<Row> LayerTable(const Config& c) {
  const int64_t w = c.hidden_size, f = c.intermediate_size;
  using T = LayerTensors;
  return {{&T::q, &T::q_bias, "attention.self.query", w, w},
          {&T::k, &T::k_bias, "attention.self.key", w, w},
          {&T::v, &T::v_bias, "attention.self.value", w, w},
          {&T::out, &T::out_bias, "attention.output.dense", w, w},
          {&T::attention_norm, &T::attention_norm_bias, "attention.output.LayerNorm", 1, w},
          {&T::up, &T::up_bias, "intermediate.dense", f, w},
          {&T::down, &T::down_bias, "output.dense", w, f},
          {&T::mlp_norm, &T::mlp_norm_bias, "output.LayerNorm", 1, w}};
}

// Heads that were trained for other tasks, and tables that the engine computes.
bool IsIgnored(const std::string& name) {
  return name.find("pooler.") != std::string::npos || name.starts_with("cls.") ||
         name.ends_with("embeddings.position_ids");
}

}  // namespace

Result<Tensors> Bind(const Config& c, TensorFiles* files) {
  const std::string prefix = files->Has("bert.embeddings.LayerNorm.weight") ? "bert." : "";
  const int64_t w = c.hidden_size;
  Tensors t;
  const std::string e = prefix + "embeddings.";
  EG_RETURN_IF_ERROR(files->BindMatrix(e + "word_embeddings.weight", c.vocabulary, w, &t.words));
  EG_RETURN_IF_ERROR(
      files->BindMatrix(e + "position_embeddings.weight", c.positions, w, &t.positions));
  EG_RETURN_IF_ERROR(
      files->BindRows(e + "token_type_embeddings.weight", 0, 1, c.token_types, w, &t.token_type));
  EG_RETURN_IF_ERROR(files->BindVector(e + "LayerNorm.weight", w, &t.norm));
  EG_RETURN_IF_ERROR(files->BindVector(e + "LayerNorm.bias", w, &t.norm_bias));
  const auto table = LayerTable(c);
  for (int layer = 0; layer < c.num_layers; ++layer) {
    LayerTensors& l = t.layers.emplace_back();
    for (const Row& row : table) {
      const std::string name = fmt::format("{}encoder.layer.{}.{}", prefix, layer, row.name);
      EG_RETURN_IF_ERROR(
          files->BindFlattened(name + ".weight", row.rows, row.cols, &(l.*row.weight)));
      const int64_t biases = row.rows == 1 ? row.cols : row.rows;
      EG_RETURN_IF_ERROR(files->BindVector(name + ".bias", biases, &(l.*row.bias)));
    }
  }
  EG_RETURN_IF_ERROR(files->RefuseUnbound(IsIgnored, "BertModel"));
  return t;
}

}  // namespace edgegate::bert
