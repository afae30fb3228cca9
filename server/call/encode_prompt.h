// The prompts of a call: checks their lengths in bytes, and has them tokenized.
#pragma once

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "engine/text/chat_template.h"
#include "scheduler/request.h"
#include "server/call/call.h"
#include "server/call/call_error.h"
#include "server/call/served_model.h"

namespace edgegate {

// Returns the error for texts that have so many bytes that their tokens cannot fit the context.
// Thread-safe.
std::optional<CallError> CheckPromptBytes(const Call& call, const ServedModel& model);

// Renders and tokenizes prompt `prompt` of the call in a worker process. Sets the positions of
// `images`. If the call drops turns, removes the images of dropped turns, and sets `dropped_turns`
// to their number. An error names the field of the input. Thread-safe.
std::variant<ChatPrompt, CallError> EncodeCallPrompt(const Call& call, const ServedModel& model,
                                                     int prompt, std::vector<PromptMedia>* images,
                                                     const JobContext& context,
                                                     size_t* dropped_turns);

}  // namespace edgegate
