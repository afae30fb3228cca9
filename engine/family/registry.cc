#include "engine/family/registry.h"

#include <vector>

namespace edgegate {

// Each is defined in a file of decoder/families/.
DecoderFamily GlmFamily();
DecoderFamily LlamaFamily();
DecoderFamily Qwen2Family();
DecoderFamily Qwen3Family();

// Each is defined in a folder of its own.
const MediaFamily& GlmEdgeVFamily();
const TextEncoderFamily& BertFamily();

std::span<const DecoderFamily> DecoderFamilies() {
  static const std::vector<DecoderFamily> families = {GlmFamily(), LlamaFamily(), Qwen2Family(),
                                                      Qwen3Family()};
  return families;
}

std::span<const MediaFamily* const> MediaFamilies() {
  static const std::vector<const MediaFamily*> families = {&GlmEdgeVFamily()};
  return families;
}

std::span<const TextEncoderFamily* const> TextEncoderFamilies() {
  static const std::vector<const TextEncoderFamily*> families = {&BertFamily()};
  return families;
}

namespace {

// Returns the family that has this architecture in this kind of file.
template <typename Part>
Result<const DecoderFamily*> Find(std::string_view architecture, const char* field,
                                  std::optional<Part> DecoderFamily::*part) {
  std::vector<std::string> supported;
  for (const DecoderFamily& family : DecoderFamilies()) {
    const auto& files = family.*part;
    if (!files) continue;
    if (files->architecture == architecture) return &family;
    supported.push_back(files->architecture);
  }
  return Unimplemented("{} \"{}\" is not supported; these are: {}", field, architecture,
                       fmt::join(supported, ", "));
}

}  // namespace

Result<const DecoderFamily*> FindHfFamily(std::string_view architecture) {
  return Find(architecture, "architecture", &DecoderFamily::hugging_face);
}

Result<const DecoderFamily*> FindGgufFamily(std::string_view architecture) {
  return Find(architecture, "general.architecture", &DecoderFamily::gguf);
}

Result<const MediaFamily*> FindMediaFamily(std::string_view name) {
  for (const MediaFamily* family : MediaFamilies()) {
    if (family->name() == name) return family;
  }
  return Unimplemented("media family \"{}\" is not supported", name);
}

Result<const TextEncoderFamily*> FindTextEncoderFamily(std::string_view name) {
  for (const TextEncoderFamily* family : TextEncoderFamilies()) {
    if (family->name() == name) return family;
  }
  return Unimplemented("text encoder family \"{}\" is not supported", name);
}

}  // namespace edgegate
