// BertModel of transformers, and the checkpoints of the tasks that it was trained with. Other
// architectures with the model type "bert" have a head that changes the answer, and are refused.
#include "engine/family/bert/family.h"

#include "engine/family/bert/quantize.h"
#include "engine/family/bert/weights.h"

namespace edgegate {
namespace bert {
namespace {

bool IsEncoder(const std::string& architecture) {
  return architecture == "BertModel" || architecture == "BertForMaskedLM" ||
         architecture == "BertForPreTraining";
}

class Family : public TextEncoderFamily {
 public:
  const char* name() const override { return bert::Config::kFamily; }

  Result<Config> FromHuggingFace(const Json& config,
                                 const EmbeddingConfig& embedding) const override {
    const Json architectures = config["architectures"];
    if (architectures.size() == 0) return Config();
    if (!IsEncoder(architectures.At(0).String().value_or(""))) return Config();
    EG_ASSIGN_OR_RETURN(bert::Config parsed, ParseHfConfig(config, embedding));
    return Config(std::make_shared<bert::Config>(std::move(parsed)));
  }

  Result<Config> FromBundle(const Json& config) const override {
    EG_ASSIGN_OR_RETURN(bert::Config parsed, ParseBundle(config));
    return Config(std::make_shared<bert::Config>(std::move(parsed)));
  }

  Result<TextEncoderFamily::Source> Bind(Config config, TensorFiles* tensors) const override {
    auto own = std::static_pointer_cast<const bert::Config>(std::move(config));
    EG_ASSIGN_OR_RETURN(Tensors bound, bert::Bind(*own, tensors));
    return TextEncoderFamily::Source(
        std::make_unique<bert::Source>(std::move(own), std::move(bound)));
  }

  TextEncoderFamily::Weights Load(Config config, BundleReader* bundle) const override {
    return bert::Load(std::static_pointer_cast<const bert::Config>(std::move(config)), bundle);
  }
};

}  // namespace

double Source::Work() const { return EstimateWork(*config_); }

Status Source::Quantize(const TensorFiles& files, BundleWriter* writer,
                        const std::function<Status(double work)>& progress) const {
  return bert::Quantize(*config_, files, tensors_, writer, progress);
}

}  // namespace bert

const TextEncoderFamily& BertFamily() {
  static const bert::Family family;
  return family;
}

}  // namespace edgegate
