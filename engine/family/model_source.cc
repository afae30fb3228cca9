#include "engine/family/model_source.h"

#include <filesystem>

#include "engine/weights/input_file.h"

namespace edgegate {
namespace {

namespace fs = std::filesystem;

std::string Absolute(const std::string& path) {
  std::error_code error;
  return fs::absolute(path, error);
}

// True if the model is a directory, false if it is a file.
Result<bool> IsDirectory(const std::string& path, const std::string& mmproj) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (FileExists(path)) return false;
    return NotFound("{}: no such model file or directory", path);
  }
  if (!mmproj.empty()) return InvalidArgument("{}: a directory takes no mmproj file", path);
  return true;
}

}  // namespace

Status ModelSource::Bind(const DecoderTensorNames& names, MediaFamily::FileKind kind) {
  EG_ASSIGN_OR_RETURN(decoder_, BindDecoder(config_, names, &tensors_));
  if (config_.media) {
    EG_ASSIGN_OR_RETURN(media_, media_family_->Bind(config_, kind, &tensors_));
  }
  const auto ignored = [&](const std::string& name) {
    return IsIgnoredByDecoder(name, config_, names) ||
           (config_.media && media_family_->Ignores(name));
  };
  return tensors_.RefuseUnbound(ignored, config_.architecture);
}

Result<std::unique_ptr<ModelSource>> ModelSource::FromTensors(ModelConfig config,
                                                              TokenizerAssets assets,
                                                              TensorFiles tensors,
                                                              const DecoderTensorNames& names) {
  auto source = std::make_unique<ModelSource>();
  source->config_ = std::move(config);
  source->assets_ = std::move(assets);
  source->tensors_ = std::move(tensors);
  EG_RETURN_IF_ERROR(source->Bind(names, MediaFamily::FileKind::kHuggingFace));
  return source;
}

Result<std::vector<std::string>> ModelSource::ListFiles(const std::string& path,
                                                        const std::string& mmproj) {
  EG_ASSIGN_OR_RETURN(const bool directory, IsDirectory(path, mmproj));
  if (directory) return ListHuggingFace(Absolute(path));
  std::vector<std::string> paths = {Absolute(path)};
  if (!mmproj.empty()) paths.push_back(Absolute(mmproj));
  return paths;
}

Result<std::unique_ptr<ModelSource>> ModelSource::Open(const std::string& path,
                                                       const std::string& mmproj) {
  EG_ASSIGN_OR_RETURN(const bool directory, IsDirectory(path, mmproj));
  if (directory) return OpenHuggingFace(Absolute(path));
  auto source = OpenGguf(Absolute(path), mmproj.empty() ? "" : Absolute(mmproj));
  if (!source.ok()) return source.status().WithContext(path);
  return source;
}

}  // namespace edgegate
