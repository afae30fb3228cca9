// Runs a fuzz target on the files of a folder, under every preset and compiler. So a bug that a
// fuzzer found stays fixed. Usage: replay FOLDER [RANDOM_INPUTS]

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxRandomBytes = 400;

int RunFiles(const char* folder) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::stringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    const std::string bytes = text.str();
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  return files;
}

// The inputs are the same in every run, so that a failure can be repeated.
void RunRandom(int count) {
  std::mt19937 random(16);
  for (int i = 0; i < count; ++i) {
    std::vector<uint8_t> bytes(random() % kMaxRandomBytes + 1);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int files = RunFiles(argc > 1 ? argv[1] : ".");
  const int random_inputs = argc > 2 ? std::atoi(argv[2]) : 0;
  RunRandom(random_inputs);
  std::printf("%d files, %d random inputs\n", files, random_inputs);
  return files > 0 ? 0 : 1;
}
