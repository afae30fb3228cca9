// Tools, calls and results as text in a conversation, for chat templates that do not know them.
#pragma once

#include "engine/text/conversation.h"
#include "engine/text/tools/call_format.h"

namespace edgegate {

// What a chat template shows.
struct TemplateAbilities {
  bool tools = false;        // the variable `tools`
  bool calls = false;        // tool_calls of messages, and messages of the role tool
  bool system = false;       // messages of the role system
  bool observation = false;  // messages of the role observation
};

// Writes what the template does not show as text. Without tools and calls the conversation stays as
// it is.
Conversation WriteToolsAsText(Conversation conversation, const CallFormat& format,
                              const TemplateAbilities& abilities);

}  // namespace edgegate
