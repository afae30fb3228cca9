// Reads the inputs of `edgegate run` from files and from standard input.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "config/settings.h"
#include "engine/base/status.h"
#include "server/cli/commands.h"

namespace edgegate {

// Largest file or text that is read, in bytes: server.max_body_mb.
size_t MaxInputBytes(const Settings& settings);

// Reads a whole file. kNotFound: it cannot be read. kInvalidArgument: it has more bytes.
Result<std::string> ReadInputFile(const std::string& path, size_t max_bytes);

// The inputs of the first message.
struct RunInput {
  std::string prompt;  // UTF-8; empty: there is none
  std::vector<std::string> image_names;
  std::vector<std::string> images;  // the bytes of their files
};

// Reads the prompt and the images. Standard input is an image if an image is "-". Otherwise, if it
// is no terminal, its text follows the prompt of the arguments, after a newline. Newlines at its
// end are dropped. kInvalidArgument: the arguments exclude each other, a text is not UTF-8, or an
// input has more than `max_bytes`.
Result<RunInput> ReadRunInput(const RunArguments& arguments, size_t max_bytes);

}  // namespace edgegate
