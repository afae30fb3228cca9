// Collects the functions that a request offers to the model. All protocols share this code.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "server/api/json/fields.h"
#include "server/call/call.h"
#include "server/call/call_error.h"

namespace edgegate {

// A function as the request has it. `schema`: a JSON schema; null: the function has no arguments.
struct OfferedFunction {
  std::string name;
  std::string description;
  nlohmann::ordered_json schema;
  std::string name_field;  // paths of the members, for errors
  std::string schema_field;
};

// Reads a function's name, description and schema. `function` reads the object at `path`. The
// schema is its member `schema`. Errors go to `function`.
OfferedFunction ReadFunction(Fields* function, const std::string& path, const char* schema);

// Owned by one thread.
class ToolList {
 public:
  static constexpr size_t kMaxTools = 128;
  static constexpr size_t kMaxName = 64;

  // Adds a function. Errors: its name is invalid or taken, its schema is no schema of an object, or
  // there are too many functions.
  std::optional<CallError> Add(OfferedFunction function);
  // Restricts the calls to the functions with these names. The model still sees all functions. An
  // error names `field`.
  std::optional<CallError> Keep(const std::vector<std::string>& names, const std::string& field);
  // Moves the functions to the conversation and to the call. No effect if there are none.
  void Offer(bool required, bool parallel, Conversation* conversation, Call* call);

  bool empty() const { return shown_.empty(); }

 private:
  std::vector<ChatTool> shown_;
  std::vector<CallableTool> callable_;
};

}  // namespace edgegate
