// Tests that config.json and GGUF metadata are read as by transformers and llama.cpp.

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <numbers>

#include "engine/family/decoder/gguf_config.h"
#include "engine/family/decoder/hf_config.h"

namespace edgegate {
namespace {

using nlohmann::json;

// Returns the config of a Llama with `changes` merged in. A null value removes a key.
json Hf(const json& changes) {
  json config = {{"architectures", {"LlamaForCausalLM"}},
                 {"vocab_size", 100},
                 {"hidden_size", 64},
                 {"intermediate_size", 128},
                 {"num_hidden_layers", 2},
                 {"num_attention_heads", 4},
                 {"max_position_embeddings", 256}};
  config.merge_patch(changes);
  return config;
}

ModelConfig Parsed(const json& changes) {
  auto config = ParseHfConfig(*Json::Parse(Hf(changes).dump()));
  REQUIRE_MESSAGE(config.ok(), config.status().message());
  return *config;
}

std::string Refusal(const json& changes) {
  auto config = ParseHfConfig(*Json::Parse(Hf(changes).dump()));
  REQUIRE(!config.ok());
  return config.status().message();
}

TEST_CASE("rope parameters are read from a Hugging Face config") {
  const json linear = {{"rope_type", "linear"}, {"factor", 4.0}};
  SUBCASE("rope_scaling wins where rope_parameters is there too") {
    const auto config = Parsed({{"rope_scaling", linear},
                                {"rope_parameters", {{"rope_type", "default"}}},
                                {"rope_theta", 500.0}});
    CHECK(config.rope.frequency_divisors == std::vector<float>(8, 4.0f));
    CHECK(config.rope.theta == 500.0);
  }
  SUBCASE("theta inside the object comes before the one beside it") {
    CHECK(Parsed({{"rope_parameters", {{"rope_theta", 7.0}}}, {"rope_theta", 9.0}}).rope.theta ==
          7.0);
  }
  SUBCASE("one per layer type is refused by name") {
    CHECK(Refusal({{"rope_parameters", {{"full_attention", linear}}}}).find("full_attention") !=
          std::string::npos);
  }
  SUBCASE("llama3 takes its original length from three places") {
    json llama3 = {{"rope_type", "llama3"},
                   {"factor", 8.0},
                   {"low_freq_factor", 1.0},
                   {"high_freq_factor", 4.0}};
    const auto by_context = Parsed({{"rope_scaling", llama3}}).rope.frequency_divisors;
    llama3["original_max_position_embeddings"] = 256;
    CHECK(Parsed({{"rope_scaling", llama3}}).rope.frequency_divisors == by_context);
    llama3["original_max_position_embeddings"] = 64;
    CHECK(Parsed({{"rope_scaling", llama3}}).rope.frequency_divisors != by_context);
    CHECK(Parsed({{"rope_scaling", llama3}, {"original_max_position_embeddings", 256}})
              .rope.frequency_divisors == by_context);
  }
}

TEST_CASE("eos ids are read from a Hugging Face config") {
  CHECK(Parsed({{"eos_token_id", {5, -1, 6, 5}}}).eos_token_ids == std::vector<int32_t>{5, 6});
  auto llama = Parsed(json::object());
  AddDefaultEos(&llama);
  CHECK(llama.eos_token_ids == std::vector<int32_t>{2});
  auto named = Parsed({{"eos_token_id", 5}});
  AddDefaultEos(&named);
  CHECK(named.eos_token_ids == std::vector<int32_t>{5});
  auto glm = Parsed({{"architectures", {"GlmForCausalLM"}}, {"vocab_size", 151552}});
  AddDefaultEos(&glm);
  CHECK(glm.eos_token_ids == std::vector<int32_t>{151329, 151336, 151338});
  CHECK(glm.num_kv_heads == 2);
  CHECK(Refusal({{"eos_token_id", "x"}}).find("eos_token_id") != std::string::npos);
}

TEST_CASE("a sliding window is refused only if it has an effect") {
  const json qwen = {{"architectures", {"Qwen2ForCausalLM"}},
                     {"num_key_value_heads", 2},
                     {"use_sliding_window", true},
                     {"sliding_window", 128}};
  auto with = [&](const json& changes) {
    json merged = qwen;
    merged.merge_patch(changes);
    return merged;
  };
  Parsed(with({{"max_window_layers", 2}}));
  Parsed(with({{"sliding_window", 256}, {"max_window_layers", 0}}));
  Parsed(with({{"layer_types", {"full_attention", "full_attention"}}, {"max_window_layers", 0}}));
  CHECK(Refusal(with({{"max_window_layers", 1}})).find("sliding") != std::string::npos);
  CHECK(Refusal(with({{"layer_types", {"full_attention", "sliding_attention"}}}))
            .find("sliding_attention") != std::string::npos);
}

TEST_CASE("activation names select the activation, and unknown ones are refused") {
  Parsed({{"hidden_act", "swish"}});
  CHECK(Refusal({{"hidden_act", "gelu"}}).find("gelu") != std::string::npos);
}

GgufFile Gguf(const std::string& arch) {
  GgufFile file;
  file.metadata = {{"general.architecture", arch},
                   {arch + ".embedding_length", int64_t{64}},
                   {arch + ".feed_forward_length", int64_t{128}},
                   {arch + ".block_count", int64_t{2}},
                   {arch + ".attention.head_count", int64_t{4}},
                   {arch + ".context_length", int64_t{256}}};
  TensorInfo embedding;
  embedding.name = "token_embd.weight";
  embedding.shape = {100, 64};
  file.tensors = {embedding};
  return file;
}

TEST_CASE("rope parameters are read from a GGUF file") {
  GgufFile file = Gguf("llama");
  const std::vector<float> freqs = {1, 1, 1, 1, 2, 2, 4, 8};
  auto divisors = [&](const std::vector<float>& factors) {
    auto config = ConfigFromGguf(file, factors);
    REQUIRE_MESSAGE(config.ok(), config.status().message());
    return config->rope.frequency_divisors;
  };
  CHECK(divisors({}).empty());
  CHECK(divisors(freqs) == freqs);
  file.metadata["llama.rope.scaling.factor"] = 2.0;
  CHECK(divisors({}) == std::vector<float>(8, 2.0f));  // without a type, scaling is linear
  CHECK(divisors(freqs) == std::vector<float>{2, 2, 2, 2, 4, 4, 8, 16});
  file.metadata["llama.rope.scaling.type"] = std::string("none");
  CHECK(divisors(freqs) == freqs);
  file.metadata["llama.rope.scaling.type"] = std::string("yarn");
  CHECK(ConfigFromGguf(file, {}).status().message().find("yarn") != std::string::npos);
  file.metadata.erase("llama.rope.scaling.type");
  file.metadata.erase("llama.rope.scaling.factor");
  file.metadata["llama.rope.scale_linear"] = 3.0;  // the older key
  CHECK(divisors({}) == std::vector<float>(8, 3.0f));
}

TEST_CASE("eos ids are read from a GGUF file") {
  GgufFile file = Gguf("qwen2");
  file.metadata["tokenizer.ggml.tokens"] =
      std::vector<std::string>{"a", "<|endoftext|>", "<|im_end|>", "<|user|>", "b"};
  file.metadata["tokenizer.ggml.eos_token_id"] = int64_t{2};
  file.metadata["tokenizer.ggml.eom_token_id"] = int64_t{4};
  auto eos = [&] { return ConfigFromGguf(file, {})->eos_token_ids; };
  CHECK(eos() == std::vector<int32_t>{2, 4, 1});
}

TEST_CASE("GGUF files that would be computed wrongly are refused by name") {
  auto refusal = [](const std::string& key, GgufValue value) {
    GgufFile file = Gguf("llama");
    file.metadata[key] = std::move(value);
    auto config = ConfigFromGguf(file, {});
    REQUIRE(!config.ok());
    return config.status().message();
  };
  CHECK(refusal("split.count", int64_t{3}).find("split") != std::string::npos);
  CHECK(refusal("llama.expert_count", int64_t{8}).find("expert_count") != std::string::npos);
  CHECK(refusal("llama.attention.value_length", int64_t{8}).find("value_length") !=
        std::string::npos);
  CHECK(refusal("llama.attention.sliding_window", int64_t{8}).find("sliding_window") !=
        std::string::npos);
}

TEST_CASE("do_sample false in generation_config.json gives temperature 0") {
  ModelConfig config;
  config.vocab_size = 100;
  auto temperature = [&](const char* text) {
    const auto defaults = ParseGenerationConfig(text, &config);
    REQUIRE(defaults.ok());
    return defaults->temperature;
  };
  CHECK(temperature(R"({"do_sample": false})") == 0.0f);
  CHECK(temperature(R"({"do_sample": false, "temperature": 0.7})") == 0.0f);
  CHECK(temperature(R"({"do_sample": true, "temperature": 0.7})") == 0.7f);
  CHECK(temperature("{}") == std::nullopt);
}

}  // namespace
}  // namespace edgegate
