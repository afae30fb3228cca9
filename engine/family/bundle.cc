#include "engine/family/bundle.h"

#include <cstring>
#include <fstream>

#include "engine/family/registry.h"
#include "engine/weights/bundle_reader.h"

namespace edgegate {
namespace {

class MappedBundle : public Bundle {
 public:
  MappedBundle(DecoderWeights weights, std::shared_ptr<const TextEncoderWeights> text_encoder,
               TokenizerAssets assets, std::unique_ptr<BundleReader> reader)
      : weights_(std::move(weights)),
        text_encoder_(std::move(text_encoder)),
        assets_(std::move(assets)),
        generation_(reader->info().generation),
        manifest_(reader->manifest_json()),
        weights_bytes_(reader->tensor_bytes()),
        mapping_(reader->TakeMapping()) {}

  const TextEncoderWeights* text_encoder() const override { return text_encoder_.get(); }
  const DecoderWeights& weights() const override { return weights_; }
  const TokenizerAssets& tokenizer_assets() const override { return assets_; }
  const GenerationDefaults& generation_defaults() const override { return generation_; }
  const std::string& manifest_json() const override { return manifest_; }
  size_t weights_bytes() const override { return weights_bytes_; }
  Status CheckIntact() const override { return mapping_.CheckIntact(); }
  size_t MoveToHugePages(const std::function<bool()>& stop) override {
    return mapping_.MoveToHugePages(stop);
  }

 private:
  const DecoderWeights weights_;
  const std::shared_ptr<const TextEncoderWeights> text_encoder_;
  const TokenizerAssets assets_;
  const GenerationDefaults generation_;
  const std::string manifest_;
  const size_t weights_bytes_;
  FileMapping mapping_;
};

// Returns the family that a manifest's media config names. Bundles of GLM-Edge-V name none.
Result<const MediaFamily*> FamilyOf(const Json& media) {
  return FindMediaFamily(media["family"].String().value_or("glm_edge_v"));
}

Result<DecoderWeights> LoadWeights(BundleReader* reader) {
  BundleInfo info = reader->info();
  const MediaFamily* family = nullptr;
  EG_RETURN_IF_ERROR(ValidateModelConfig(info.config));
  if (info.media) {
    EG_ASSIGN_OR_RETURN(family, FamilyOf(*info.media));
    auto media = family->FromBundle(*info.media);
    if (!media.ok()) return media.status().WithContext("manifest: config: vision");
    info.config.media = *std::move(media);
  }
  DecoderWeights weights = LoadDecoder(info, reader);
  if (family != nullptr && reader->status().ok()) {
    weights.media = family->Load(info.config, reader);
  }
  return weights;
}

// Returns null if the bundle has a decoder.
Result<std::shared_ptr<const TextEncoderWeights>> LoadTextEncoder(BundleReader* reader) {
  const std::optional<Json>& encoder = reader->info().encoder;
  if (!encoder) return std::shared_ptr<const TextEncoderWeights>();
  const std::string name = (*encoder)["family"].String().value_or("");
  EG_ASSIGN_OR_RETURN(const TextEncoderFamily* family, FindTextEncoderFamily(name));
  auto config = family->FromBundle(*encoder);
  if (!config.ok()) return config.status().WithContext("manifest: encoder");
  return family->Load(*std::move(config), reader);
}

TokenizerAssets LoadTokenizer(BundleReader* reader) {
  TokenizerAssets assets;
  assets.kind = reader->info().tokenizer_kind;
  assets.model = reader->Text("tokenizer.model");
  assets.tokenizer_config = reader->Text("tokenizer.config");
  assets.chat_template = reader->Text("tokenizer.template");
  return assets;
}

}  // namespace

Result<std::unique_ptr<Bundle>> Bundle::Open(const std::string& path) {
  EG_ASSIGN_OR_RETURN(auto reader, BundleReader::Open(path));
  auto encoder = LoadTextEncoder(reader.get());
  if (!encoder.ok()) return encoder.status().WithContext(path);
  auto weights = *encoder ? Result<DecoderWeights>(DecoderWeights()) : LoadWeights(reader.get());
  TokenizerAssets assets = LoadTokenizer(reader.get());
  EG_RETURN_IF_ERROR(reader->CheckIntact());  // otherwise the checked bytes may be gone
  const Status status = weights.ok() ? reader->status() : weights.status();
  if (!status.ok()) return status.WithContext(path);
  return std::unique_ptr<Bundle>(std::make_unique<MappedBundle>(
      *std::move(weights), *std::move(encoder), std::move(assets), std::move(reader)));
}

bool IsBundle(const std::string& path) {
  char magic[sizeof kBundleMagic] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof magic);
  return std::memcmp(magic, kBundleMagic, sizeof magic) == 0;
}

}  // namespace edgegate
