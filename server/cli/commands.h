// The subcommands of the edgegate program. Each returns the process's exit code: 0 done, 1 failed,
// 2 wrong usage, 3 a model could not be loaded.
#pragma once

#include <map>
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
  std::string model;                // a name, a path, or empty: the first of NamedModels()
  std::string prompt;               // empty: from standard input, or a chat
  std::string draft;                // a draft model; empty: none
  std::vector<std::string> images;  // files; "-": standard input
  std::string system;
  std::string json_schema;         // a file, or JSON; empty: none
  std::vector<std::string> tools;  // files, or JSON
  std::string tool_choice;         // auto, none, required or a function's name; empty: auto
  std::vector<std::string> stop;
  // The texts of the flags of kRequestFlags (run/request_flags.h), by the member of the API's
  // request. Empty: not given.
  std::map<std::string, std::string> members;
  bool json = false;  // print the answer as one JSON object
};
// Answers one prompt, or chats on a terminal.
int RunPrompt(const Settings& settings, const RunArguments& arguments);

struct ListArguments {
  bool json = false;
  bool names = false;   // of the models only
  bool shapes = false;  // of `edgegate bench`
};
// Prints NamedModels().
int ListModels(const Settings& settings, const ListArguments& arguments);

struct QuantizeArguments {
  std::string source;
  std::string destination;
  std::string calibration;  // a file; empty: the built-in text
  std::string format = "int8";
  std::string head_format = "int8";  // of lm_head
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
