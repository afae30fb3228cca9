// Tests embeddings from published files to the vector, on the golden models.

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/family/bert/family.h"
#include "engine/family/bert/float_reference.h"
#include "engine/family/bundle.h"
#include "engine/family/decoder/decoder_text_encoder.h"
#include "engine/family/quantize.h"
#include "engine/text/tokenizer.h"
#include "tests/fakes/worst.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;

const std::string kModels = std::string(EDGEGATE_SOURCE_DIR) + "/tests/golden/embeddings/";

struct Golden {
  std::string text;
  std::vector<int32_t> ids;
  std::vector<float> embedding;
};

std::vector<Golden> ReadGolden(const std::string& name) {
  std::ifstream file(kModels + name + ".json");
  std::vector<Golden> all;
  for (const auto& entry : nlohmann::json::parse(file)) {
    all.push_back({entry["text"], entry["ids"], entry["embedding"].get<std::vector<float>>()});
  }
  return all;
}

double Cosine(const float* a, const std::vector<float>& b) {
  double product = 0, squares_a = 0, squares_b = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    product += double{a[i]} * b[i];
    squares_a += double{a[i]} * a[i];
    squares_b += double{b[i]} * b[i];
  }
  return product / std::sqrt(squares_a * squares_b);
}

// A model that was quantized to a temporary bundle.
struct Packed {
  explicit Packed(const std::string& name)
      : path(fs::temp_directory_path() / fmt::format("embedding-{}-{}.edgegate", name, getpid())) {
    auto source = ModelSource::Open(kModels + name);
    REQUIRE_MESSAGE(source.ok(), source.status().message());
    const Status status = Quantize(**source, path, {});
    REQUIRE_MESSAGE(status.ok(), status.message());
    auto opened = Bundle::Open(path);
    REQUIRE_MESSAGE(opened.ok(), opened.status().message());
    bundle = *std::move(opened);
  }
  ~Packed() { fs::remove(path); }

  std::unique_ptr<TextEncoder> MakeEncoder(ThreadPool* pool, Int8MatMul::Backend backend) const {
    if (bundle->text_encoder() != nullptr) {
      return bundle->text_encoder()->MakeEncoder({pool, 160, backend});
    }
    RunnerOptions options;
    options.pool = pool;
    options.backend = backend;
    options.kv_cache_bytes = 1 << 20;
    auto runner = DecoderRunner::Make(bundle->weights(), DecoderTextEncoder::OptionsFor(options));
    REQUIRE(runner.ok());
    const auto& embedding = bundle->weights().config.embedding;
    REQUIRE(embedding.has_value());
    return std::make_unique<DecoderTextEncoder>(*std::move(runner), *embedding);
  }

  std::string path;
  std::unique_ptr<Bundle> bundle;
};

void RunSlices(TextEncoder* encoder, const std::vector<TextTokens>& texts, int max_tokens) {
  const Status begun = encoder->Begin(texts);
  REQUIRE_MESSAGE(begun.ok(), begun.message());
  for (int slice = 0;; ++slice) {
    REQUIRE(slice < 1000);
    const auto done = encoder->Slice(max_tokens);
    REQUIRE_MESSAGE(done.ok(), done.status().message());
    if (*done) return;
  }
}

std::vector<float> Embed(TextEncoder* encoder, const std::vector<TextTokens>& texts,
                         int max_tokens) {
  RunSlices(encoder, texts, max_tokens);
  const int width = encoder->limits().width;
  std::vector<float> all;
  for (int i = 0; i < static_cast<int>(texts.size()); ++i) {
    all.insert(all.end(), encoder->Embedding(i), encoder->Embedding(i) + width);
  }
  return all;
}

TEST_CASE("the tokenizer gives the ids of transformers, without cutting and padding") {
  for (const char* name : {"bert", "bert-cls", "qwen3-embedding"}) {
    CAPTURE(name);
    auto source = ModelSource::Open(kModels + name);
    REQUIRE_MESSAGE(source.ok(), source.status().message());
    const auto tokenizer = Tokenizer::Make((*source)->tokenizer_assets());
    REQUIRE(tokenizer.ok());
    for (const Golden& golden : ReadGolden(name)) {
      CAPTURE(golden.text);
      const auto ids = (*tokenizer)->Encode(golden.text, Tokenizer::Specials::kParse, true);
      REQUIRE(ids.ok());
      CHECK(*ids == golden.ids);
    }
  }
}

TEST_CASE("BERT's float reference gives the embeddings of transformers") {
  for (const char* name : {"bert", "bert-cls"}) {
    CAPTURE(name);
    auto source = ModelSource::Open(kModels + name);
    REQUIRE_MESSAGE(source.ok(), source.status().message());
    const auto& bert = static_cast<const bert::Source&>(*(*source)->text_encoder());
    for (const Golden& golden : ReadGolden(name)) {
      const auto embedding =
          bert::EmbedText(bert.config(), (*source)->tensors(), bert.tensors(), golden.ids);
      REQUIRE(embedding.ok());
      float worst = 0;
      for (size_t i = 0; i < golden.embedding.size(); ++i) {
        worst = Worst(worst, std::fabs((*embedding)[i] - golden.embedding[i]));
      }
      CHECK(worst < 2e-5f);
    }
  }
}

TEST_CASE("quantized models give nearly the embeddings of transformers") {
  for (const char* name : {"bert", "bert-cls", "qwen3-embedding"}) {
    CAPTURE(name);
    const Packed packed(name);
    ThreadPool pool(2);
    const auto encoder = packed.MakeEncoder(&pool, Int8MatMul::Backend::kAuto);
    for (const Golden& golden : ReadGolden(name)) {
      const auto embedding = Embed(encoder.get(), {golden.ids}, 64);
      CHECK_MESSAGE(Cosine(embedding.data(), golden.embedding) > 0.9999, std::string(name));
    }
  }
}

TEST_CASE("an embedding has the same bytes in any batch, with any slices, threads and backend") {
  for (const char* name : {"bert", "qwen3-embedding"}) {
    CAPTURE(name);
    const Packed packed(name);
    std::vector<Golden> golden = ReadGolden(name);
    std::erase_if(golden, [](const Golden& g) { return g.ids.size() > 40; });
    golden.resize(3);
    std::vector<TextTokens> texts(golden.size());
    std::ranges::transform(golden, texts.begin(),
                           [](const Golden& g) { return TextTokens(g.ids); });
    std::vector<float> alone;
    ThreadPool one(1);
    const auto encoder = packed.MakeEncoder(&one, Int8MatMul::Backend::kAuto);
    for (const TextTokens& text : texts) {
      const auto embedding = Embed(encoder.get(), {text}, 1000);
      alone.insert(alone.end(), embedding.begin(), embedding.end());
    }
    for (const int threads : {1, 3}) {
      for (const auto backend : {Int8MatMul::Backend::kAuto, Int8MatMul::Backend::kOwn}) {
        for (const int max_tokens : {1, 7, 1000}) {
          ThreadPool pool(threads);
          const auto other = packed.MakeEncoder(&pool, backend);
          CHECK(Embed(other.get(), texts, max_tokens) == alone);
        }
      }
    }
  }
}

TEST_CASE("a batch that breaks the limits is refused, and an unfinished one is dropped") {
  for (const char* name : {"bert", "qwen3-embedding"}) {
    CAPTURE(name);
    const Packed packed(name);
    const auto encoder = packed.MakeEncoder(nullptr, Int8MatMul::Backend::kAuto);
    const TextEncoderLimits limits = encoder->limits();
    const std::vector<int32_t> longest(static_cast<size_t>(limits.max_text_tokens), 1);
    const std::vector<int32_t> longer(longest.size() + 1, 1), none, outside = {limits.vocab_size};
    CHECK_FALSE(encoder->Slice(8).ok());
    for (const auto& text : {longer, none, outside}) {
      const std::vector<TextTokens> texts = {text};
      CHECK(encoder->Begin(texts).code() == StatusCode::kInternal);
    }
    CHECK_FALSE(encoder->Begin({}).ok());
    const auto embedding = Embed(encoder.get(), {longest}, 16);
    REQUIRE(encoder->Begin(std::vector<TextTokens>{longest}).ok());
    REQUIRE(encoder->Slice(16).ok());
    CHECK(Embed(encoder.get(), {longest}, 64) == embedding);
    CHECK_FALSE(encoder->Slice(8).ok());
  }
}

TEST_CASE("files of sentence-transformers that are not supported are refused by name") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("embedding-files-{}", getpid());
  const auto error_with = [&](const char* file, const std::string& text) {
    fs::remove_all(folder);
    fs::copy(kModels + "bert", folder, fs::copy_options::recursive);
    std::ofstream(folder / file) << text;
    return ModelSource::Open(folder).status().message();
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  CHECK(has(error_with("modules.json", R"([{"type": "sentence_transformers.models.Dense"}])"),
            "module \"Dense\""));
  CHECK(has(error_with("modules.json", R"([{"type": "x.Pooling", "path": "../../etc"}])"),
            "leaves the model's folder"));
  CHECK(has(error_with("modules.json", "{}"), "must be an array"));
  CHECK(has(error_with("1_Pooling/config.json", R"({"pooling_mode_max_tokens": true})"),
            "pooling_mode_max_tokens"));
  CHECK(has(error_with("1_Pooling/config.json", "{}"), "exactly one"));
  CHECK(has(error_with("sentence_bert_config.json", R"({"max_seq_length": -1})"),
            "max_seq_length is -1"));
  CHECK(has(error_with("config_sentence_transformers.json", R"({"default_prompt_name": "q"})"),
            "default_prompt_name"));
  CHECK(error_with("config_sentence_transformers.json", "{}").empty());
  // The pooling's folder has another name.
  fs::rename(folder / "1_Pooling", folder / "pool");
  std::ofstream(folder / "modules.json")
      << R"([{"type": "sentence_transformers.models.Pooling", "path": "pool"}])";
  CHECK(ModelSource::Open(folder).ok());
  const auto files = *ModelSource::ListFiles(folder);
  CHECK(std::count(files.begin(), files.end(), (folder / "pool/config.json").string()) == 1);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace edgegate
