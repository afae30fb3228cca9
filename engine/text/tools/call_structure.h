// The grammar of an answer with calls of tools, for GrammarSpec::Kind::kStructure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/text/tools/call_format.h"

namespace edgegate {

struct CallableTool {
  std::string name;
  std::string parameters;  // a JSON schema of an object
  std::string field;       // path of the request's member that has the schema
};

struct CallRules {
  std::vector<CallableTool> tools;
  bool required = false;                    // the answer is calls
  bool parallel = true;                     // there may be several
  std::optional<ReasoningMarks> reasoning;  // the answer may begin with thoughts
  bool reasoning_open = false;              // the prompt has the begin mark
  // The JSON schema of an answer without calls; empty: any text.
  std::string content_schema;
  std::string content_field;
};

// Returns the members of the arguments that are written as plain text in the style kTagged: those
// whose schema has the type "string". `parameters`: a JSON schema of an object.
std::vector<std::string> PlainMembers(const std::string& parameters);

// Returns the structure (textkit/src/structure.rs). Precondition: if the content has a schema,
// content can be told from calls (ContentIsDistinct).
std::string CallStructure(const CallFormat& format, const CallRules& rules);

// True if JSON content cannot be taken for a call.
bool ContentIsDistinct(const CallFormat& format);

}  // namespace edgegate
