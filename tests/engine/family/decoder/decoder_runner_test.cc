// The decoder's outputs other than the logits of text: hidden states, positions on several axes,
// media rows, and rows that are added after later layers. The tests use a packed golden checkpoint.

#include "engine/family/decoder/decoder_runner.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "engine/family/bundle.h"
#include "engine/family/decoder/float_layer.h"
#include "engine/family/quantize.h"
#include "engine/ops/rows/rope.h"
#include "engine/quantize/float_linear.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/fakes/worst.h"

namespace edgegate {
namespace {

constexpr int kTokens = 12;
const std::vector<int32_t> kTable = {2, 0};

// A packed golden checkpoint with two layers.
struct Packed {
  Packed() {
    auto opened = ModelSource::Open(EDGEGATE_SOURCE_DIR "/tests/golden/models/qwen3");
    REQUIRE(opened.ok());
    source = *std::move(opened);
    REQUIRE(Quantize(*source, folder / "bundle", {}).ok());
    auto mapped = Bundle::Open(folder / "bundle");
    REQUIRE(mapped.ok());
    bundle = *std::move(mapped);
    weights = bundle->weights();
  }

  std::unique_ptr<DecoderRunner> Runner(int max_hidden_rows = 0,
                                        KvType kv_type = KvType::kBf16) const {
    RunnerOptions options;
    options.kv_cache_type = kv_type;
    options.max_batched_tokens = options.max_logits_rows = 32;
    options.max_hidden_rows = max_hidden_rows;
    options.kv_cache_bytes = 1 << 20;
    auto runner = DecoderRunner::Make(weights, options);
    REQUIRE(runner.ok());
    return *std::move(runner);
  }

  TemporaryFolder folder;
  std::unique_ptr<ModelSource> source;
  std::unique_ptr<Bundle> bundle;
  DecoderWeights weights;  // a copy, for tests that change the config
};

ForwardBatch Batch() {
  ForwardBatch batch;
  for (int i = 0; i < kTokens; ++i) {
    batch.tokens.push_back(i * 37 % 300);
    batch.logits_rows.push_back(i);
  }
  batch.spans.push_back({0, kTokens, 0, kTable});
  return batch;
}

std::vector<float> Logits(DecoderRunner* runner, const ForwardBatch& batch) {
  const auto output = runner->Forward(batch);
  REQUIRE_MESSAGE(output.ok(), output.status().message());
  const auto count = batch.logits_rows.size() * static_cast<size_t>(runner->limits().vocab_size);
  return {output->logits, output->logits + count};
}

TEST_CASE("hidden states times the output matrix are the logits") {
  Packed packed;
  packed.weights.state_norm = packed.weights.final_norm;  // the input of the smoothed matrix
  const int width = packed.weights.config.hidden_size, vocab = packed.weights.config.vocab_size;
  const auto want = Logits(packed.Runner().get(), Batch());
  const auto runner = packed.Runner(4);
  ForwardBatch batch = Batch();
  batch.logits_rows = {3, 11};
  batch.hidden_rows = {0, 3, 5};
  const auto output = runner->Forward(batch);
  REQUIRE_MESSAGE(output.ok(), output.status().message());
  // The logits are the same bytes whether or not states are requested.
  for (int i = 0; i < vocab; ++i) {
    CHECK(output->logits[i] == want[3 * vocab + i]);
    CHECK(output->logits[vocab + i] == want[11 * vocab + i]);
  }
  // The output matrix quantizes the states. Its products are exact integers.
  LinearFormatSet formats;
  formats.Add(packed.weights.lm_head);
  LinearMatMul linear({4, width}, formats, Int8MatMul::Backend::kOwn);
  std::vector<float> product(size_t{3} * vocab);
  linear.Quantize(packed.weights.lm_head, output->hidden, width, 3);
  linear.Store(packed.weights.lm_head, product.data(), vocab);
  float worst = 0, largest = 0;
  for (int r = 0; r < 3; ++r) {
    for (int i = 0; i < vocab; ++i) {
      const float logit = want[batch.hidden_rows[r] * vocab + i];
      worst = Worst(worst, std::fabs(product[r * vocab + i] - logit));
      largest = std::max(largest, std::fabs(logit));
    }
  }
  CHECK(worst < 1e-4f * largest);
}

TEST_CASE("a batch may request only hidden states, up to the runner's limit") {
  const Packed packed;
  const auto runner = packed.Runner(2);
  ForwardBatch batch = Batch();
  batch.logits_rows.clear();
  batch.hidden_rows = {4, 5};
  const auto first = runner->Forward(batch);
  REQUIRE(first.ok());
  const int width = packed.weights.config.hidden_size;
  const std::vector<float> states(first->hidden, first->hidden + 2 * width);
  batch.hidden_rows = {5};
  const auto second = runner->Forward(batch);
  REQUIRE(second.ok());
  for (int i = 0; i < width; ++i) CHECK(second->hidden[i] == states[width + i]);
  batch.hidden_rows = {1, 2, 3};
  CHECK(runner->Forward(batch).status().code() == StatusCode::kInternal);
  batch.hidden_rows = {2, 1};
  CHECK_FALSE(runner->Forward(batch).ok());
  batch.hidden_rows = {1};
  CHECK(packed.Runner()->Forward(batch).status().code() == StatusCode::kInternal);
}

TEST_CASE("a sequence continues a copied block with the same bytes") {
  const Packed packed;
  for (const KvType type : {KvType::kBf16, KvType::kInt8}) {
    const auto runner = packed.Runner(0, type);
    ForwardBatch batch = Batch();
    const std::vector<int32_t> table = {3}, copy = {5};
    batch.spans = {{0, kTokens, 0, table}};
    const auto want = Logits(runner.get(), batch);
    // Another sequence has the first seven tokens of the block, and other tokens after them.
    const std::vector<int32_t> other = {4};
    batch.spans = {{0, kTokens, 0, other}};
    for (int i = 7; i < kTokens; ++i) ++batch.tokens[i];
    Logits(runner.get(), batch);
    runner->CopyBlock(4, 5);
    ForwardBatch rest;
    for (int i = 7; i < kTokens; ++i) {
      rest.tokens.push_back(Batch().tokens[i]);
      rest.logits_rows.push_back(i - 7);
    }
    rest.spans = {{0, kTokens - 7, 7, copy}};
    const auto got = Logits(runner.get(), rest);
    CHECK(std::equal(got.begin(), got.end(), want.end() - std::ssize(got)));
  }
}

// The first frequencies use the time, the next the height, the last the width.
std::vector<int32_t> Sections(int frequencies) {
  std::vector<int32_t> axes;
  for (int i = 0; i < frequencies; ++i) axes.push_back(i * 3 / frequencies);
  return axes;
}

TEST_CASE("three equal axes give the logits of one axis") {
  Packed packed;
  const auto want = Logits(packed.Runner().get(), Batch());
  ForwardBatch batch = Batch();
  for (int i = 0; i < kTokens; ++i) batch.positions.push_back({i, i, i});
  CHECK(Logits(packed.Runner().get(), batch) == want);  // the model has one axis
  packed.weights.config.rope.frequency_axes = Sections(packed.weights.config.rope.rotary_dim / 2);
  const auto runner = packed.Runner();
  CHECK(runner->limits().position_axes == 3);
  CHECK(Logits(runner.get(), batch) == want);
  CHECK(Logits(runner.get(), Batch()) == want);  // default: the index on all axes
}

TEST_CASE("a token's angles are those of its position on each frequency's axis") {
  const int half = 6;
  const std::vector<int32_t> axes = {0, 1, 2, 0, 1, 2};
  RopeTable mixed(2 * half, 10000.0, {}, axes), plain(2 * half, 10000.0, {});
  const std::vector<int32_t> positions = {4, 9, 2, 7, 7, 7};
  mixed.SetPositions(positions, 3);
  plain.SetPositions(positions);
  for (int token = 0; token < 2; ++token) {
    for (int i = 0; i < half; ++i) {
      CHECK(mixed.cosines(token)[i] == plain.cosines(token * 3 + axes[i])[i]);
      CHECK(mixed.sines(token)[i] == plain.sines(token * 3 + axes[i])[i]);
    }
  }
}

TEST_CASE("positions on one axis only change the logits, in any chunks the same") {
  Packed packed;
  packed.weights.config.rope.frequency_axes = Sections(packed.weights.config.rope.rotary_dim / 2);
  ForwardBatch batch = Batch();
  for (int i = 0; i < kTokens; ++i) batch.positions.push_back({i / 2, i, i % 3});
  const auto runner = packed.Runner();
  const auto whole = Logits(runner.get(), batch);
  CHECK(whole != Logits(runner.get(), Batch()));
  std::vector<float> chunks;
  for (int first = 0; first < kTokens; first += 5) {
    const int count = std::min(5, kTokens - first);
    ForwardBatch part;
    part.spans.push_back({0, count, first, kTable});
    for (int i = 0; i < count; ++i) {
      part.tokens.push_back(batch.tokens[first + i]);
      part.positions.push_back(batch.positions[first + i]);
      part.logits_rows.push_back(i);
    }
    const auto logits = Logits(runner.get(), part);
    chunks.insert(chunks.end(), logits.begin(), logits.end());
  }
  CHECK(chunks == whole);
}

TEST_CASE("a model of one axis refuses positions that differ, and nothing is silently ignored") {
  const Packed packed;
  const auto runner = packed.Runner();
  ForwardBatch batch = Batch();
  for (int i = 0; i < kTokens; ++i) batch.positions.push_back({i, i, 0});
  CHECK(runner->Forward(batch).status().code() == StatusCode::kUnimplemented);
  batch.positions.resize(3);
  CHECK(runner->Forward(batch).status().code() == StatusCode::kInternal);
  batch.positions.assign(kTokens, {-1, -1, -1});
  CHECK(runner->Forward(batch).status().code() == StatusCode::kInternal);
}

MediaEmbedding Embedding(int rows, int width, int deep_layers, uint32_t seed) {
  MediaEmbedding e{.rows = rows, .width = width, .deep_layers = deep_layers};
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (int i = 0; i < (1 + deep_layers) * rows * width; ++i) e.data.push_back(normal(random));
  return e;
}

// Returns the logits of the batch with the item's rows in the places of tokens 2 to 6, in float32.
std::vector<float> FloatReference(const ModelSource& source, const MediaEmbedding& e) {
  const ModelConfig& c = source.config();
  auto hidden = EmbedFloat(source, Batch().tokens);
  REQUIRE(hidden.ok());
  const auto place = hidden->begin() + 2 * c.hidden_size;
  std::copy_n(e.data.begin(), e.rows * e.width, place);
  for (int layer = 0; layer < c.num_layers; ++layer) {
    const auto w = ReadFloatLayer(source, layer);
    REQUIRE(w.ok());
    RunFloatLayer(c, *w, &*hidden);
    if (layer >= e.deep_layers) continue;
    for (int i = 0; i < e.rows * e.width; ++i) place[i] += e.DeepRow(layer, 0)[i];
  }
  std::vector<float> norm(static_cast<size_t>(c.hidden_size));
  std::vector<float> head(size_t{1} * c.vocab_size * c.hidden_size);
  const TensorFiles& files = source.tensors();
  REQUIRE(files.ReadRows(source.decoder().final_norm, 0, 1, norm.data()).ok());
  REQUIRE(files.ReadRows(source.decoder().lm_head, 0, c.vocab_size, head.data()).ok());
  return LinearFloat(RmsNormFloat(*hidden, norm, c.hidden_size, c.rms_norm_eps), head, c.vocab_size,
                     c.hidden_size, {});
}

TEST_CASE("rows for later layers give the float reference's logits, and zero rows change nothing") {
  const Packed packed;
  const int width = packed.weights.config.hidden_size;
  const auto runner = packed.Runner();
  ForwardBatch batch = Batch();
  const MediaEmbedding plain = Embedding(5, width, 0, 1);
  batch.media = {{2, 5, 0, &plain}};
  const auto without = Logits(runner.get(), batch);
  MediaEmbedding zeros = plain;
  zeros.deep_layers = 1;
  zeros.data.resize(2 * plain.data.size());
  batch.media = {{2, 5, 0, &zeros}};
  CHECK(Logits(runner.get(), batch) == without);
  const MediaEmbedding deep = Embedding(5, width, 1, 1);
  batch.media = {{2, 5, 0, &deep}};
  const auto with = Logits(runner.get(), batch);
  CHECK(with != without);
  for (const auto& [embedding, got] : {std::pair(&plain, &without), std::pair(&deep, &with)}) {
    const auto want = FloatReference(*packed.source, *embedding);
    double error = 0, power = 0;
    for (size_t i = 0; i < want.size(); ++i) {
      error += std::pow((*got)[i] - want[i], 2);
      power += std::pow(want[i], 2);
    }
    CHECK(std::sqrt(error / power) < 0.01);
  }
  // Each of two chunks has a part of the rows.
  std::vector<float> chunks;
  for (const auto& [first, count] : {std::pair(0, 4), std::pair(4, kTokens - 4)}) {
    ForwardBatch part;
    part.spans.push_back({0, count, first, kTable});
    for (int i = 0; i < count; ++i) {
      part.tokens.push_back(batch.tokens[first + i]);
      part.logits_rows.push_back(i);
    }
    part.media = {first == 0 ? MediaSpan{2, 2, 0, &deep} : MediaSpan{0, 3, 2, &deep}};
    const auto logits = Logits(runner.get(), part);
    chunks.insert(chunks.end(), logits.begin(), logits.end());
  }
  CHECK(chunks == with);
}

TEST_CASE("malformed media rows, and rows for layers that do not exist, are refused") {
  const Packed packed;
  const int width = packed.weights.config.hidden_size;
  const auto runner = packed.Runner();
  const MediaEmbedding good = Embedding(5, width, 0, 1);
  const MediaEmbedding narrow = Embedding(5, width - 1, 0, 1);
  const MediaEmbedding too_deep = Embedding(5, width, packed.weights.config.num_layers, 1);
  const auto code = [&](const std::vector<MediaSpan>& media) {
    ForwardBatch batch = Batch();
    batch.media = media;
    return runner->Forward(batch).status().code();
  };
  CHECK(code({{2, 5, 0, &good}}) == StatusCode::kOk);
  CHECK(code({{2, 5, 0, nullptr}}) == StatusCode::kInternal);
  CHECK(code({{2, 5, 1, &good}}) == StatusCode::kInternal);
  CHECK(code({{9, 5, 0, &good}}) == StatusCode::kInternal);
  CHECK(code({{2, 5, 0, &good}, {6, 5, 0, &good}}) == StatusCode::kInternal);
  CHECK(code({{2, 5, 0, &narrow}}) == StatusCode::kInternal);
  CHECK(code({{2, 5, 0, &too_deep}}) == StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace edgegate
