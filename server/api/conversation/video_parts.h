// Reads videos of a conversation, and the wishes for their frames. The protocols of OpenAI's API
// share this code.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/api/json/fields.h"
#include "server/call/call.h"

namespace edgegate {

// True if a part of this type is a video: "video_url" of vLLM, or "input_video" of llama.cpp.
bool IsVideoPart(const std::string& type);

// Reads a part that is a video: {"video_url": {"url": URL}}, {"video_url": URL} or {"input_video":
// {"data" or "url": URL or base64}}. Adds it to `sources`. `path`: of the part. Errors go to
// `fields`.
void ReadVideoPart(Fields* fields, const nlohmann::ordered_json& part, const std::string& path,
                   bool is_user, std::vector<ImageSource>* sources);

// Reads `media_io_kwargs.video` (num_frames, fps, contact_sheet), and fps and num_frames of
// `mm_processor_kwargs`. Other members of them are unknown.
VideoWish ParseVideoWish(Fields* fields);

}  // namespace edgegate
