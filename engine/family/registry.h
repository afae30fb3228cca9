// The registry of model families that are built in. registry.cc has one row for each. All functions
// are thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/family/decoder/decoder_family.h"
#include "engine/family/media_family.h"
#include "engine/family/text_encoder_family.h"

namespace edgegate {

// Return all families, in the order of their rows. They live as long as the process.
std::span<const DecoderFamily> DecoderFamilies();
std::span<const MediaFamily* const> MediaFamilies();
std::span<const TextEncoderFamily* const> TextEncoderFamilies();

// Return the family of a checkpoint's architecture, or of a GGUF file's. kUnimplemented: there is
// none; the message names the supported architectures.
Result<const DecoderFamily*> FindHfFamily(std::string_view architecture);
Result<const DecoderFamily*> FindGgufFamily(std::string_view architecture);

// Returns the media family of this name. kUnimplemented: there is none.
Result<const MediaFamily*> FindMediaFamily(std::string_view name);
// Returns the family of text encoders of this name. kUnimplemented: there is none.
Result<const TextEncoderFamily*> FindTextEncoderFamily(std::string_view name);

}  // namespace edgegate
