// The subcommands of the edgegate program. Each returns the process's exit code: 0 done, 1 failed,
// 2 wrong usage, 3 a model could not be loaded.
#pragma once

#include <string>
#include <vector>

#include "config/settings.h"

namespace edgegate {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitModel = 3;
inline constexpr int kExitInterrupted = 130;

int Serve(const Settings& settings);

struct RunArguments {
  std::string model;
  std::string prompt;
  std::string draft;                // a draft model; empty: none
  std::vector<std::string> images;  // files
  std::string system;
  int max_tokens = 0;      // 0: until the model ends its answer
  float temperature = -1;  // < 0: the model's own
};
int RunPrompt(const Settings& settings, const RunArguments& arguments);

struct QuantizeArguments {
  std::string source;
  std::string destination;
  std::string calibration;  // a file; empty: the built-in text
  std::string format = "int8";
};
int QuantizeModel(const QuantizeArguments& arguments);

struct BenchArguments {
  std::string model;
  std::string shape;
  int prompt = 512;
  int gen = 64;
  std::vector<int> batch = {1, 8};
  std::vector<int> context;  // context lengths in rising order
  bool json = false;
  bool brief = false;  // one measured prefill; no speed of the machine, no streams
};
int Bench(const Settings& settings, const BenchArguments& arguments);

}  // namespace edgegate
