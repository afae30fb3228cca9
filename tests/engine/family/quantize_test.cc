// Tests all steps from published files to logits, on the golden checkpoints.

#include "engine/family/quantize.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "engine/base/sha256.h"
#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_runner.h"
#include "engine/family/decoder/float_layer.h"
#include "engine/family/decoder/fold_layer.h"
#include "engine/family/decoder/layer_quantizer.h"
#include "engine/family/decoder/pack_layer.h"
#include "engine/weights/bundle_format.h"
#include "tests/fakes/temporary_folder.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;
const std::string kModels = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/models/";

TEST_CASE("the float reference gives transformers' log-probabilities") {
  for (const char* name : {"glm-edge", "glm4-9b", "llama-tied", "llama3", "qwen2", "qwen3"}) {
    CAPTURE(name);
    auto source = ModelSource::Open(kModels + name);
    REQUIRE(source.ok());
    const int vocab = (*source)->config().vocab_size;
    const auto golden = nlohmann::json::parse(ReadFile(kModels + name + ".json"));
    for (const auto& prompt : golden["prompts"]) {
      const auto ids = prompt["ids"].get<std::vector<int32_t>>();
      const auto logits = FloatLogits(**source, ids);
      REQUIRE(logits.ok());
      const float* last = logits->data() + (ids.size() - 1) * static_cast<size_t>(vocab);
      double total = 0;
      for (int i = 0; i < vocab; ++i) total += std::exp(double{last[i]});
      for (const auto& top : prompt["top"]) {
        CHECK(std::fabs(last[top[0].get<int>()] - std::log(total) - top[1].get<double>()) < 2e-3);
      }
    }
  }
}

TEST_CASE("SmoothQuant folding changes the weights and not the output") {
  auto source = ModelSource::Open(kModels + "qwen2");
  REQUIRE(source.ok());
  auto layer = ReadFloatLayer(**source, 0);
  REQUIRE(layer.ok());
  const auto start = EmbedFloat(**source, std::vector<int32_t>{1, 2, 3, 4, 5, 6, 7, 8});
  REQUIRE(start.ok());
  auto before = *start, after = *start;
  const LayerInputs inputs = RunFloatLayer((*source)->config(), *layer, &before);
  const auto unfolded = layer->down;
  FoldLayer((*source)->config(), inputs, &*layer);
  CHECK(layer->down != unfolded);
  RunFloatLayer((*source)->config(), *layer, &after);
  for (size_t i = 0; i < before.size(); ++i)
    CHECK(after[i] == doctest::Approx(before[i]).epsilon(1e-3));
}

TEST_CASE("a bundle is the same bytes each time, and damage to it is an error") {
  TemporaryFolder folder;
  auto source = ModelSource::Open(kModels + "glm-edge.gguf");
  REQUIRE(source.ok());
  const std::string path = folder / "a.edgegate";
  REQUIRE(Quantize(**source, path, {}).ok());
  REQUIRE(Quantize(**source, folder / "b.edgegate", {}).ok());
  const std::string good = ReadFile(path);
  CHECK(good == ReadFile(folder / "b.edgegate"));
  REQUIRE(Bundle::Open(path).ok());
  std::mt19937 random(3);
  const std::string bad = folder / "bad.edgegate";
  for (int i = 0; i <= 32; ++i) {
    WriteFile(bad, good.substr(0, (good.size() - 1) * i / 32));
    CHECK_FALSE(Bundle::Open(bad).ok());
  }
  uint64_t manifest;
  std::memcpy(&manifest, good.data() + 16, sizeof manifest);
  for (int i = 0; i < 200; ++i) {
    std::string damaged = good;
    const size_t at = i % 2 ? random() % 64 : manifest + random() % (good.size() - manifest);
    if (at >= 12 && at < 16) continue;  // reserved bytes of the header
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    WriteFile(bad, damaged);
    CHECK_FALSE(Bundle::Open(bad).ok());
  }
}

// Replaces a bundle's manifest.
std::string WithManifest(const std::string& bundle, const nlohmann::json& manifest) {
  BundleHeader header;
  std::memcpy(&header, bundle.data(), sizeof header);
  const std::string text = manifest.dump();
  header.manifest_size = text.size();
  header.manifest_sha256 = Sha256::Digest(text.data(), text.size());
  std::string out = bundle.substr(0, header.manifest_offset) + text;
  std::memcpy(out.data(), &header, sizeof header);
  return out;
}

TEST_CASE("each weight format has either a packer or a quantization of its own") {
  for (const WeightFormatInfo& info : WeightFormats()) {
    CAPTURE(std::string(info.name));
    CHECK((info.packer != nullptr) == (QuantizerOf(info.format).write == PackLayer));
    CHECK((info.packer == nullptr) == (info.narrow_packer == nullptr));
  }
}

TEST_CASE("4-bit bundles: tensors of wrong sizes and unknown formats are errors") {
  TemporaryFolder folder;
  auto source = ModelSource::Open(kModels + "qwen2");
  REQUIRE(source.ok());
  QuantizeOptions options;
  options.format = kWeightFormat<Int4Format>;
  const std::string path = folder / "a.edgegate";
  REQUIRE(Quantize(**source, path, options).ok());
  const std::string good = ReadFile(path);
  auto opened = Bundle::Open(path);
  REQUIRE(opened.ok());
  const auto manifest = nlohmann::json::parse((*opened)->manifest_json());
  CHECK(manifest["format"] == "int4");
  auto error = [&](const nlohmann::json& changed) {
    WriteFile(path, WithManifest(good, changed));
    const auto bundle = Bundle::Open(path);
    return bundle.ok() ? std::string() : bundle.status().message();
  };
  CHECK(error(manifest).empty());
  int four_bits = 0;
  for (size_t i = 0; i < manifest["tensors"].size(); ++i) {
    const auto name = manifest["tensors"][i]["name"].get<std::string>();
    const bool levels = name.ends_with(".int4x64");
    if (!levels && !name.ends_with(".bias")) continue;
    four_bits += levels;
    CAPTURE(name);
    for (const int change : {-64, 64}) {
      auto changed = manifest;
      changed["tensors"][i]["bytes"] = manifest["tensors"][i]["bytes"].get<int>() + change;
      CHECK(error(changed).find("tensor " + name + ": ") != std::string::npos);
    }
    auto changed = manifest;
    changed["tensors"].erase(i);
    // If there is no tensor with groups of 64, the reader looks for groups of 32.
    const std::string missing = levels ? name.substr(0, name.size() - 3) : name;
    CHECK(error(changed).find("tensor " + missing + " is missing") != std::string::npos);
  }
  CHECK(four_bits == 4 * (*opened)->weights().config.num_layers);
  auto changed = manifest;
  changed["format"] = "int8";
  CHECK(error(changed).find("packed is missing") != std::string::npos);
  changed["format"] = "int3";
  CHECK(error(changed).find("must be int8 or int4") != std::string::npos);
  changed.erase("format");
  CHECK(error(changed).find("format") != std::string::npos);
}

TEST_CASE("damaged model files are errors that name the file") {
  TemporaryFolder folder;
  std::mt19937 random(4);
  const std::string gguf = ReadFile(kModels + "glm-edge.gguf");
  const std::string path = folder / "x.gguf";
  for (int i = 0; i < 16; ++i) {
    WriteFile(path, gguf.substr(0, gguf.size() * i / 16));
    const auto opened = ModelSource::Open(path);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.status().message().find("x.gguf") != std::string::npos);
  }
  for (int i = 0; i < 300; ++i) {
    std::string damaged = gguf;
    for (int j = 0; j < 3; ++j) damaged[random() % 20000] = static_cast<char>(random());
    WriteFile(path, damaged);
    (void)ModelSource::Open(path).ok();  // must not crash
  }
  for (const auto& entry : fs::directory_iterator(kModels + "llama3")) {
    fs::copy(entry.path(), folder.path);
  }
  REQUIRE(ModelSource::Open(folder.path).ok());
  const std::string tensors = ReadFile(folder / "model.safetensors");
  for (int i = 0; i < 300; ++i) {
    std::string damaged = tensors;
    for (int j = 0; j < 3; ++j) damaged[random() % 2000] = static_cast<char>(random());
    WriteFile(folder / "model.safetensors", damaged);
    (void)ModelSource::Open(folder.path).ok();
  }
  WriteFile(folder / "model.safetensors", tensors);
  auto refuses = [&](const std::string& from, const std::string& to, const std::string& message) {
    std::string config = ReadFile(kModels + "llama3/config.json");
    const size_t at = config.find(from);
    REQUIRE(at != std::string::npos);
    WriteFile(folder / "config.json", config.replace(at, from.size(), to));
    const auto opened = ModelSource::Open(folder.path);
    REQUIRE_FALSE(opened.ok());
    CAPTURE(opened.status().message());
    CHECK(opened.status().message().find(message) != std::string::npos);
  };
  refuses("LlamaForCausalLM", "MambaForCausalLM", "MambaForCausalLM");
  refuses("\"silu\"", "\"relu\"", "relu");
  refuses("\"llama3\"", "\"yarn\"", "yarn");
  refuses("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "model.layers.2.");
  refuses("\"intermediate_size\": 200", "\"intermediate_size\": 201", "shape");
  refuses("\"hidden_size\": 72", "\"hidden_size\": \"x\"", "hidden_size");
}

// Returns the logits of every position, in chunks of `chunk` tokens, beside another sequence if
// `company` is set. With 7 threads, a different number of them is active in each step.
std::vector<float> Logits(const DecoderWeights& weights, KvType kv_cache_type,
                          const std::vector<int32_t>& ids, int chunk, int threads, bool company) {
  ThreadPool pool(threads);
  RunnerOptions options;
  options.pool = &pool;
  options.max_batched_tokens = options.max_logits_rows = 128;
  options.kv_cache_bytes = 1 << 20;
  options.kv_cache_type = kv_cache_type;
  auto runner = DecoderRunner::Make(weights, options);
  REQUIRE(runner.ok());
  const int vocab = (*runner)->limits().vocab_size;
  const std::vector<int32_t> table = {5, 3, 1, 7, 2, 4}, other = {30};
  std::vector<float> all;
  for (int done = 0; done < static_cast<int>(ids.size()); done += chunk) {
    const int count = std::min(chunk, static_cast<int>(ids.size()) - done);
    if (threads == 7) pool.SetActive(1 + done % 7);
    ForwardBatch batch;
    if (company) {
      batch.tokens = {9, 8, 7};
      batch.spans.push_back({0, 3, 0, other});
    }
    const int first = static_cast<int>(batch.tokens.size());
    batch.tokens.insert(batch.tokens.end(), ids.begin() + done, ids.begin() + done + count);
    batch.spans.push_back({first, count, done, table});
    for (int i = 0; i < count; ++i) batch.logits_rows.push_back(first + i);
    const auto output = (*runner)->Forward(batch);
    REQUIRE(output.ok());
    all.insert(all.end(), output->logits, output->logits + int64_t{count} * vocab);
  }
  return all;
}

TEST_CASE("logits are the same bytes for any chunk size, batch and number of threads") {
  TemporaryFolder folder;
  // Narrow models and wide ones; in 4 bits; with either KV cache.
  constexpr WeightFormat kInt8 = kWeightFormat<Int8Format>, kInt4 = kWeightFormat<Int4Format>;
  for (const auto& [name, narrow_width, format, kv_cache_type] :
       {std::tuple{"glm-edge", 512, kInt8, KvType::kBf16},
        {"glm-edge", 512, kInt8, KvType::kInt8},
        {"qwen3", 512, kInt8, KvType::kBf16},
        {"qwen3", 0, kInt8, KvType::kInt8},
        {"qwen3", 0, kInt8, KvType::kBf16},
        {"qwen2", 512, kInt4, KvType::kBf16}}) {
    QuantizeOptions quantize;
    quantize.narrow_width = narrow_width;
    quantize.format = format;
    auto path = EnsureBundle(kModels + name, "", folder.path, quantize);
    REQUIRE(path.ok());
    auto bundle = Bundle::Open(*path);
    REQUIRE(bundle.ok());
    CHECK((*bundle)->weights().lm_head.Is<Int16Linear>() == (narrow_width > 0));
    CHECK((*bundle)->weights().layers[0].o.Is<Int4Linear>() == (format == kInt4));
    std::vector<int32_t> ids;
    for (int i = 0; i < 90; ++i) ids.push_back((i * 37) % 300);
    const auto want = Logits((*bundle)->weights(), kv_cache_type, ids, 90, 1, false);
    for (int chunk : {1, 7, 33, 64, 90}) {
      for (int threads : {1, 2, 3, 7}) {
        CAPTURE(chunk);
        CHECK(Logits((*bundle)->weights(), kv_cache_type, ids, chunk, threads, chunk % 2 == 1) ==
              want);
      }
    }
  }
}

TEST_CASE("a KV pool of the same size holds about twice the tokens at 8 bits") {
  TemporaryFolder folder;
  const auto path = EnsureBundle(kModels + "qwen3", "", folder.path, {});
  REQUIRE(path.ok());
  const auto bundle = Bundle::Open(*path);
  REQUIRE(bundle.ok());
  const DecoderWeights& weights = (*bundle)->weights();
  RunnerOptions options;
  options.kv_cache_bytes = 1 << 20;
  for (const KvType type : {KvType::kBf16, KvType::kInt8}) {
    options.kv_cache_type = type;
    const auto runner = DecoderRunner::Make(weights, options);
    REQUIRE(runner.ok());
    const ModelConfig& config = weights.config;
    const int64_t key = type == KvType::kInt8 ? config.head_dim + 4 : config.head_dim * 2;
    const int64_t token = config.num_layers * config.num_kv_heads * key * 2;
    CHECK(DecoderRunner::KvBytesPerToken(config, type) == token);
    CHECK((*runner)->limits().num_blocks == (1 << 20) / (token * 16));
  }
}

TEST_CASE("a quantized model is cached, and a damaged cache is rewritten") {
  TemporaryFolder folder;
  int runs = 0;
  QuantizeOptions options;
  options.progress = [&](int done, int total, std::string_view) {
    runs += done == total;
    return true;
  };
  const auto first = EnsureBundle(kModels + "qwen2", "", folder.path, options);
  REQUIRE(first.ok());
  REQUIRE(EnsureBundle(kModels + "qwen2", "", folder.path, options).ok());
  CHECK(runs == 1);
  CHECK(*EnsureBundle(*first, "", folder.path, options) == *first);
  WriteFile(*first, "EDGEGATE");
  REQUIRE(EnsureBundle(kModels + "qwen2", "", folder.path, options).ok());
  CHECK(runs == 2);
  options.format = kWeightFormat<Int4Format>;
  const auto other = EnsureBundle(kModels + "qwen2", "", folder.path, options);
  REQUIRE(other.ok());
  CHECK(*other != *first);
  CHECK(runs == 3);
  CHECK_FALSE(EnsureBundle(kModels + "qwen2", "", "/proc/no", options).ok());
}

TEST_CASE("the cache key is the model's files, which are opened only for quantizing") {
  TemporaryFolder folder;
  const std::string model = folder / "model", weights = model + "/model.safetensors";
  fs::copy(kModels + "qwen2", model);
  const auto first = EnsureBundle(model, "", folder / "cache", {});
  REQUIRE(first.ok());
  const auto time = fs::last_write_time(weights);
  WriteFile(weights, std::string(fs::file_size(weights), 'x'));
  fs::last_write_time(weights, time);
  const auto unread = EnsureBundle(model, "", folder / "cache", {});
  REQUIRE(unread.ok());
  CHECK(*unread == *first);
  fs::last_write_time(weights, time + std::chrono::seconds(1));
  CHECK_FALSE(EnsureBundle(model, "", folder / "cache", {}).ok());
  fs::copy(kModels + "qwen2/model.safetensors", weights, fs::copy_options::overwrite_existing);
  const auto changed = EnsureBundle(model, "", folder / "cache", {});
  REQUIRE(changed.ok());
  CHECK(*changed != *first);
  WriteFile(model + "/chat_template.jinja", "{{ messages }}");  // an additional file
  const auto further = EnsureBundle(model, "", folder / "cache", {});
  REQUIRE(further.ok());
  CHECK(*further != *changed);
  fs::remove_all(model);
  CHECK(EnsureBundle(model, "", folder / "cache", {}).status().code() == StatusCode::kNotFound);
}

}  // namespace
}  // namespace edgegate
