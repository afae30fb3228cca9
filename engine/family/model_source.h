// A published model as its author's files hold it: a Hugging Face directory or a GGUF file, opened
// and checked in full. Used for quantizing only; serving reads packed bundles.
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
#include "engine/model/model_config.h"
#include "engine/text/tokenizer_assets.h"
#include "engine/weights/tensor_files.h"

namespace edgegate {

// Immutable once open: any thread may call any method.
class ModelSource {
 public:
  // `path`: a directory with config.json, or a .gguf file. `mmproj`: the .gguf file with the media
  // encoder of such a file, or empty. Fails unless every tensor that the config asks for is there
  // with the right shape and a supported type.
  static Result<std::unique_ptr<ModelSource>> Open(const std::string& path,
                                                   const std::string& mmproj = "");
  // A model without media whose files the caller has added to `tensors`. It has no files().
  static Result<std::unique_ptr<ModelSource>> FromTensors(ModelConfig config,
                                                          TokenizerAssets assets,
                                                          TensorFiles tensors,
                                                          const DecoderTensorNames& names);
  // files() of what Open() would open, found without opening it.
  static Result<std::vector<std::string>> ListFiles(const std::string& path,
                                                    const std::string& mmproj = "");

  const ModelConfig& config() const { return config_; }
  const TokenizerAssets& tokenizer_assets() const { return assets_; }
  const GenerationDefaults& generation_defaults() const { return defaults_; }
  // The files that make up the model, absolute, for hashing and for the manifest.
  const std::vector<std::string>& files() const { return files_; }

  // Reads the tensors that are named below.
  const TensorFiles& tensors() const { return tensors_; }
  const DecoderTensors& decoder() const { return decoder_; }
  const MediaSource* media() const { return media_.get(); }  // null where config().media is

 private:
  // In hf_source.cc and gguf_source.cc.
  static Result<std::unique_ptr<ModelSource>> OpenHuggingFace(const std::string& directory);
  static Result<std::unique_ptr<ModelSource>> OpenGguf(const std::string& path,
                                                       const std::string& mmproj);
  static Result<std::vector<std::string>> ListHuggingFace(const std::string& directory);

  Status ReadHfMedia(const Json& config);
  Status AddMmproj(const std::string& path);
  // Binds all tensors that the config asks for.
  Status Bind(const DecoderTensorNames& names, MediaFamily::FileKind kind);

  ModelConfig config_;
  TokenizerAssets assets_;
  GenerationDefaults defaults_;
  std::vector<std::string> files_;
  TensorFiles tensors_;
  DecoderTensors decoder_;
  const MediaFamily* media_family_ = nullptr;  // of config_.media
  std::unique_ptr<const MediaSource> media_;
};

}  // namespace edgegate
