// Writes tools, calls and results as text of a conversation, for chat templates without tools.
#pragma once

#include "engine/text/conversation.h"
#include "engine/text/tools/call_format.h"

namespace edgegate {

// The parts of a conversation that a chat template renders.
struct TemplateAbilities {
  bool tools = false;          // the variable `tools`
  bool calls = false;          // tool_calls of messages, and messages of the role tool
  bool system = false;         // messages of the role system
  bool observation = false;    // messages of the role observation
  bool result_images = false;  // images in messages of the role tool, or else observation
};

// Writes the parts that the template does not render as text. Images of results that the template
// does not render come in a message of the user behind the results. A conversation without tools,
// calls and such images is returned unchanged.
Conversation WriteToolsAsText(Conversation conversation, const CallFormat& format,
                              const TemplateAbilities& abilities);

}  // namespace edgegate
