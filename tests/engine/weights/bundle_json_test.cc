// A bundle's manifest: the reader returns what was written, and a number out of its field's range
// is an error.

#include "engine/weights/bundle_json.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace edgegate {
namespace {

using nlohmann::json;

// The config of a media family that engine/weights does not know. It is stored as it is.
struct OtherMedia : MediaConfig {
  const char* family() const override { return "other"; }
  Result<MediaLayout> Layout(const MediaItem&) const override { return MediaLayout{}; }
  int32_t token_id() const override { return 5; }
  int image_size() const override { return 0; }
  std::string ToJson() const override { return R"({"family": "other", "layers": 3})"; }
};

json Manifest() {
  BundleInfo info;
  info.config.architecture = "Qwen3ForCausalLM";
  info.config.num_layers = 2;
  info.config.rms_norm_eps = 1e-6f;
  info.config.rope.frequency_divisors = {1.0f, 8.0f};
  info.config.eos_token_ids = {7, 8};
  info.config.media = std::make_shared<OtherMedia>();
  info.generation.temperature = 0.5f;
  info.generation.top_k = 20;
  return json::parse(ManifestToJson(info, {{"embedding", {4096, uint64_t{1} << 40}}}));
}

// Returns the message of the error for a manifest. Empty: the manifest was accepted.
std::string Refusal(const json& manifest) {
  BundleInfo info;
  TensorTable tensors;
  return ManifestFromJson(manifest.dump(), &info, &tensors).message();
}

// Checks that each of the values makes an error whose message names `place`.
void CheckRefused(const std::string& place, const std::vector<json>& values) {
  const json::json_pointer pointer(place);
  for (const json& value : values) {
    CAPTURE(place);
    CAPTURE(value.dump());
    json manifest = Manifest();
    manifest[pointer] = value;
    const std::string refusal = Refusal(manifest);
    CAPTURE(refusal);
    CHECK(refusal.starts_with("manifest: "));
    const bool element = pointer.back() == "0";
    CHECK(refusal.find(element ? pointer.parent_pointer().back() : pointer.back()) !=
          std::string::npos);
  }
}

const std::vector<json> kNotWhole = {7.6e79, -7.6e79, 1.5, int64_t{1} << 40, -(int64_t{1} << 40),
                                     "1",    true,    {1}};

TEST_CASE("a written manifest is read unchanged") {
  BundleInfo info;
  TensorTable tensors;
  const Status status = ManifestFromJson(Manifest().dump(), &info, &tensors);
  REQUIRE_MESSAGE(status.ok(), status.message());
  CHECK(info.config.architecture == "Qwen3ForCausalLM");
  CHECK(info.config.num_layers == 2);
  CHECK(info.config.rms_norm_eps == 1e-6f);
  CHECK(info.config.rope.frequency_divisors == std::vector<float>{1.0f, 8.0f});
  CHECK(info.config.eos_token_ids == std::vector<int32_t>{7, 8});
  REQUIRE(info.media);
  CHECK((*info.media)["family"].String() == "other");
  CHECK((*info.media)["layers"].Int() == 3);
  CHECK(info.generation.temperature == 0.5f);
  CHECK(info.generation.top_k == 20);
  CHECK_FALSE(info.generation.top_p);
  CHECK(tensors == TensorTable{{"embedding", {4096, uint64_t{1} << 40}}});
}

TEST_CASE("integers of a manifest must be whole and within their type's range") {
  for (const char* place :
       {"/config/vocab_size", "/config/hidden_size", "/config/intermediate_size",
        "/config/num_layers", "/config/num_heads", "/config/num_kv_heads", "/config/head_dim",
        "/config/max_position_embeddings", "/config/rotary_dim", "/config/eos_token_ids/0",
        "/generation/top_k"}) {
    CheckRefused(place, kNotWhole);
  }
  for (const char* place : {"/tensors/0/offset", "/tensors/0/bytes"}) {
    CheckRefused(place, {7.6e79, 1.5, -1, 1e19, "1", nullptr});
  }
}

TEST_CASE("other numbers of a manifest must be finite") {
  for (const char* place :
       {"/config/rms_norm_eps", "/config/rope_frequency_divisors/0", "/generation/temperature",
        "/generation/top_p", "/generation/min_p", "/generation/repetition_penalty"}) {
    CheckRefused(place, {7.6e79, -7.6e79, "1", true});
  }
  CheckRefused("/config/rope_theta", {"1", true});
  std::string text = Manifest().dump();
  text.replace(text.find("10000.0"), 7, "1e999");
  BundleInfo info;
  TensorTable tensors;
  CHECK_FALSE(ManifestFromJson(text, &info, &tensors).ok());
}

TEST_CASE("an error names a member of a manifest that is missing or has another type") {
  for (const char* place :
       {"/config/architecture", "/config/num_layers", "/config/rope_theta", "/config/qkv_bias",
        "/config/eos_token_ids", "/config/rope_frequency_divisors", "/tensors/0/name",
        "/tensors/0/offset", "/tensors", "/tokenizer_kind", "/embedding_type", "/format"}) {
    CheckRefused(place, {json::object(), nullptr});
  }
  CheckRefused("/config/vision", {1, "1"});
}

}  // namespace
}  // namespace edgegate
