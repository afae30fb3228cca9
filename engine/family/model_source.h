// A published model in its author's files: a Hugging Face directory or a GGUF file, opened and
// checked completely. Used only for quantizing; serving reads packed bundles.
//
// Files are untrusted: every size, offset, shape, type and count is checked before use. An error
// has the file's name and the cause.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/status.h"
#include "engine/family/decoder/decoder_tensors.h"
#include "engine/family/media_family.h"
#include "engine/family/text_encoder_family.h"
#include "engine/model/model_config.h"
#include "engine/text/tokenizer_assets.h"
#include "engine/weights/tensor_files.h"

namespace edgegate {

// An open model. Immutable: any thread may call any method.
class ModelSource {
 public:
  // Opens a model. `path`: a directory with config.json, or a .gguf file. `mmproj`: the .gguf file
  // with the media encoder of such a file, or empty. kNotFound: a file is missing. kDataLoss: a
  // file is damaged, or a tensor that the config requires is missing or has another shape.
  // kUnimplemented: the engine does not support the architecture, a value of the config or a tensor
  // type.
  static Result<std::unique_ptr<ModelSource>> Open(const std::string& path,
                                                   const std::string& mmproj = "");
  // Makes a model without media from files that the caller has added to `tensors`. files() is
  // empty. Errors are those of Open().
  static Result<std::unique_ptr<ModelSource>> FromTensors(ModelConfig config,
                                                          TokenizerAssets assets,
                                                          TensorFiles tensors,
                                                          const DecoderTensorNames& names);
  // Returns the files() of the model that Open() would open, without opening it.
  static Result<std::vector<std::string>> ListFiles(const std::string& path,
                                                    const std::string& mmproj = "");

  // Returns the encoder of a model that computes embeddings only. Null: the model is a decoder.
  const TextEncoderSource* text_encoder() const { return text_encoder_.get(); }
  // Returns the config of a decoder.
  const ModelConfig& config() const { return config_; }
  const TokenizerAssets& tokenizer_assets() const { return assets_; }
  const GenerationDefaults& generation_defaults() const { return defaults_; }
  // Returns the absolute paths of the model's files, for hashing and for the manifest.
  const std::vector<std::string>& files() const { return files_; }

  // Return the files' tensors, and the slices that the decoder is bound to.
  const TensorFiles& tensors() const { return tensors_; }
  const DecoderTensors& decoder() const { return decoder_; }
  const MediaSource* media() const { return media_.get(); }  // null if config().media is null

 private:
  // Defined in hf_source.cc and gguf_source.cc.
  static Result<std::unique_ptr<ModelSource>> OpenHuggingFace(const std::string& directory);
  static Result<std::unique_ptr<ModelSource>> OpenGguf(const std::string& path,
                                                       const std::string& mmproj);
  static Result<std::vector<std::string>> ListHuggingFace(const std::string& directory);

  Status ReadHfMedia(const Json& config);
  Status ReadHfConfig(const std::string& directory, const Json& config);
  Status BindHf(const std::string& directory, const Json& config);
  Status AddMmproj(const std::string& path);
  // Binds all tensors that the config requires.
  Status Bind(const DecoderTensorNames& names, MediaFamily::FileKind kind);

  ModelConfig config_;
  TokenizerAssets assets_;
  GenerationDefaults defaults_;
  std::vector<std::string> files_;
  TensorFiles tensors_;
  DecoderTensors decoder_;
  const MediaFamily* media_family_ = nullptr;  // family of config_.media
  std::unique_ptr<const MediaSource> media_;
  const TextEncoderFamily* text_encoder_family_ = nullptr;  // null, as the next two: a decoder
  TextEncoderFamily::Config text_encoder_config_;
  TextEncoderFamily::Source text_encoder_;
};

}  // namespace edgegate
