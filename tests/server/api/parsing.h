// Functions of tests that parse requests.
#pragma once

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "server/api/answer_call.h"

namespace edgegate {

using json = nlohmann::ordered_json;
using Parsed = std::variant<ParsedCall, CallError>;

inline ParsedCall Good(const Parsed& parsed) {
  if (const auto* error = std::get_if<CallError>(&parsed)) {
    FAIL(error->field << ": " << error->status.message());
  }
  return std::get<ParsedCall>(parsed);
}

// Returns the field of the error.
inline std::string FieldOf(const Parsed& parsed) {
  const auto* error = std::get_if<CallError>(&parsed);
  return error != nullptr ? error->field : "no error";
}

// Writes each message on a line: the role, the parts, the thoughts, the calls and the result's
// call.
inline std::string Shown(const Call& call) {
  std::string out;
  for (const ChatMessage& message : call.conversation()->messages) {
    out += message.role + ":";
    for (const ChatPart& part : message.parts) {
      out += part.kind == ChatPart::Kind::kImage ? "<image>" : part.text;
    }
    if (!message.reasoning.empty()) out += " thinks " + message.reasoning;
    for (const ChatCall& one : message.calls) {
      out += " calls " + one.id + " " + one.name + one.arguments;
    }
    if (!message.call_id.empty()) out += " of " + message.call_id;
    if (!message.name.empty()) out += " from " + message.name;
    out += "\n";
  }
  return out;
}

inline std::string ToolsOf(const Call& call) {
  std::string out;
  if (!call.tools) return "none";
  for (const CallableTool& tool : call.tools->tools) out += tool.name + " ";
  return out + (call.tools->required ? "required " : "") + (call.tools->parallel ? "" : "one");
}

}  // namespace edgegate
