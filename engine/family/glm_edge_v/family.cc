// GLM-Edge-V-2B and -5B: GlmForCausalLM of transformers with a vision_config, and llama.cpp's
// mmproj files with the projector "adapter".
#include "engine/family/glm_edge_v/family.h"

#include "engine/family/glm_edge_v/quantize.h"
#include "engine/family/glm_edge_v/weights.h"

namespace edgegate {
namespace glm_edge_v {
namespace {

class Family : public MediaFamily {
 public:
  const char* name() const override { return glm_edge_v::Config::kFamily; }

  Result<Config> FromHuggingFace(const Json& config, const TensorFiles& tensors) const override {
    const Json architectures = config["architectures"];
    if (config["vision_config"].is_null() || architectures.size() == 0 ||
        architectures.At(0).String() != "GlmForCausalLM") {
      return Config();
    }
    EG_ASSIGN_OR_RETURN(glm_edge_v::Config parsed, ParseHfConfig(config));
    return Checked(std::move(parsed), AdapterSize(tensors, FileKind::kHuggingFace));
  }

  Result<Config> FromGguf(const GgufFile& file, const TensorFiles& tensors) const override {
    if (!IsMmproj(file)) return Config();
    EG_ASSIGN_OR_RETURN(glm_edge_v::Config parsed, ParseGguf(file));
    return Checked(std::move(parsed), AdapterSize(tensors, FileKind::kGguf));
  }

  Result<Config> FromBundle(const Json& config) const override {
    EG_ASSIGN_OR_RETURN(glm_edge_v::Config parsed, ParseBundle(config));
    return Config(std::make_shared<glm_edge_v::Config>(std::move(parsed)));
  }

  Result<MediaFamily::Source> Bind(const ModelConfig& config, FileKind kind,
                                   TensorFiles* tensors) const override {
    auto media = std::static_pointer_cast<const glm_edge_v::Config>(config.media);
    EG_ASSIGN_OR_RETURN(Tensors bound, glm_edge_v::Bind(*media, config.hidden_size, kind, tensors));
    return MediaFamily::Source(std::make_unique<glm_edge_v::Source>(
        std::move(media), config.hidden_size, std::move(bound)));
  }

  bool Ignores(const std::string& tensor) const override { return IsIgnored(tensor); }

  MediaFamily::Weights Load(const ModelConfig& config, BundleReader* bundle) const override {
    return std::make_shared<glm_edge_v::Weights>(
        glm_edge_v::Load(ConfigOf(config), config.hidden_size, bundle));
  }

 private:
  static Result<Config> Checked(glm_edge_v::Config config, int adapter_size) {
    config.adapter_size = adapter_size;
    EG_RETURN_IF_ERROR(Validate(config));
    return Config(std::make_shared<glm_edge_v::Config>(std::move(config)));
  }
};

}  // namespace

double Source::Work() const {
  const glm_edge_v::Work work = EstimateWork(*config_, text_size_);
  return config_->num_layers * work.layer + work.adapter;
}

Result<std::vector<float>> Source::Quantize(
    const TensorFiles& files, int narrow_width, BundleWriter* writer,
    const std::function<Status(double work)>& progress) const {
  return glm_edge_v::Quantize(*config_, text_size_, files, tensors_, narrow_width, writer,
                              progress);
}

}  // namespace glm_edge_v

const MediaFamily& GlmEdgeVFamily() {
  static const glm_edge_v::Family family;
  return family;
}

}  // namespace edgegate
