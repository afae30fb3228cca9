// The families of models that are built in. registry.cc has one row for each.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/family/decoder/decoder_family.h"
#include "engine/family/media_family.h"

namespace edgegate {

// All families, in the order of their rows. They live as long as the process.
std::span<const DecoderFamily> DecoderFamilies();
std::span<const MediaFamily* const> MediaFamilies();

// The family of a checkpoint's architecture, or of a GGUF file's. kUnimplemented, naming those that
// are supported, where there is none.
Result<const DecoderFamily*> FindHfFamily(std::string_view architecture);
Result<const DecoderFamily*> FindGgufFamily(std::string_view architecture);

// The media family of this name. kUnimplemented where there is none.
Result<const MediaFamily*> FindMediaFamily(std::string_view name);

}  // namespace edgegate
