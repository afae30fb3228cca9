#include "server/cli/run/read_input.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "engine/text/utf8.h"

namespace edgegate {
namespace {

constexpr const char* kStandardInput = "-";

struct CloseFile {
  void operator()(FILE* file) const { std::fclose(file); }
};

Result<std::string> ReadAll(FILE* file, const std::string& name, size_t max_bytes) {
  std::string bytes;
  char piece[1 << 16];
  for (size_t n; (n = std::fread(piece, 1, sizeof piece, file)) > 0;) {
    bytes.append(piece, n);
    if (bytes.size() > max_bytes) {
      return InvalidArgument("{} has more than {} MiB (server.max_body_mb)", name, max_bytes >> 20);
    }
  }
  if (std::ferror(file) != 0) return NotFound("cannot read {}", name);
  return bytes;
}

// Reads the text of a pipe or a file at standard input.
Result<std::string> ReadPipe(size_t max_bytes) {
  EG_ASSIGN_OR_RETURN(std::string text, ReadAll(stdin, "standard input", max_bytes));
  text.erase(text.find_last_not_of("\r\n") + 1);
  return text;
}

Status ReadPrompt(const RunArguments& arguments, size_t max_bytes, bool piped, RunInput* input) {
  const bool only_pipe = arguments.prompt == kStandardInput;
  if (!only_pipe) input->prompt = arguments.prompt;
  if (piped) {
    EG_ASSIGN_OR_RETURN(const std::string text, ReadPipe(max_bytes));
    if (!input->prompt.empty() && !text.empty()) input->prompt += "\n";
    input->prompt += text;
  }
  if (!IsValidUtf8(input->prompt)) return InvalidArgument("the prompt is not UTF-8");
  return {};
}

}  // namespace

size_t MaxInputBytes(const Settings& settings) { return size_t(settings.max_body_mb) << 20; }

Result<std::string> ReadInputFile(const std::string& path, size_t max_bytes) {
  const std::unique_ptr<FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return NotFound("cannot read {}", path);
  return ReadAll(file.get(), path, max_bytes);
}

Result<RunInput> ReadRunInput(const RunArguments& arguments, size_t max_bytes) {
  RunInput input;
  const auto images = std::count(arguments.images.begin(), arguments.images.end(), kStandardInput);
  if (images > 1) return InvalidArgument("--image - can be given once");
  if (images == 1 && (arguments.prompt.empty() || arguments.prompt == kStandardInput)) {
    return InvalidArgument(
        "--image - reads the image from standard input: give the prompt as an argument");
  }
  const bool terminal = isatty(STDIN_FILENO) == 1;
  if (images == 1 && terminal) {
    return InvalidArgument("--image - needs a file or a pipe at standard input");
  }
  const bool piped = images == 0 && (!terminal || arguments.prompt == kStandardInput);
  EG_RETURN_IF_ERROR(ReadPrompt(arguments, max_bytes, piped, &input));
  for (const std::string& path : arguments.images) {
    EG_ASSIGN_OR_RETURN(std::string bytes, path == kStandardInput
                                               ? ReadAll(stdin, "standard input", max_bytes)
                                               : ReadInputFile(path, max_bytes));
    input.images.push_back(std::move(bytes));
    input.image_names.push_back(path == kStandardInput ? "standard input" : path);
  }
  return input;
}

}  // namespace edgegate
