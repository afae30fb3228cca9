// Loads the images and the videos of a request. The frames of a video become images of the
// conversation, each after a text with its time.
#pragma once

#include <variant>
#include <vector>

#include "server/call/image_loader.h"
#include "server/worker/video_decoder.h"

namespace edgegate {

// The way in which videos are shown to models.
struct VideoOptions {
  enum class Form {
    kAuto,    // a contact sheet if fewer than four frames fit, or else frames
    kFrames,  // one image for each frame
    kSheet,   // one image with all frames
  };
  VideoDecoder* decoder = nullptr;  // null: videos are refused
  int max_frames = 20;              // of one video
  Form form = Form::kAuto;
};

// Loads the media of the call. Moves `call->images` out, and replaces each video in the
// conversation by texts and images. As many frames are shown as the model's limit of images and its
// context allow, beside the call's text and answer. Returns the images in the conversation's order;
// their positions are 0. Images after the first, and frames, take a share of `memory`
// (ChargeImage). An error names the field of the image or video. Precondition:
// CheckImages() found no error. Thread-safe.
std::variant<std::vector<PromptMedia>, CallError> LoadMedia(Call* call, const ServedModel& model,
                                                            const FetchOptions& fetch,
                                                            const VideoOptions& videos,
                                                            MemoryBudget* memory,
                                                            const JobContext& context);

// Returns the text before a frame: "[0:03.2]", or "[1:02:03.4]" from one hour on.
std::string FrameLabel(int64_t time_us);

}  // namespace edgegate
