// From the URLs in a request to the images that a model takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scheduler/request.h"
#include "server/call/call.h"
#include "server/call/call_error.h"
#include "server/call/served_model.h"
#include "server/media/fetch.h"

namespace edgegate {

// Checks that the model takes the call's images, and so many of them.
std::optional<CallError> CheckImages(const std::vector<ImageSource>& sources,
                                     const ServedModel& model);

// Reads or fetches, decodes and prepares each image; their positions are left 0. The error names
// the image's place in the request. Precondition: CheckImages() found nothing. Thread-safe.
std::variant<std::vector<PromptMedia>, CallError> LoadImages(
    const std::vector<ImageSource>& sources, const ServedModel& model, const FetchOptions& fetch,
    const JobContext& context);

// One image from a file's bytes. Errors are ModelText::PrepareImage's.
Result<PromptMedia> LoadImageFile(std::string_view file, const ServedModel& model,
                                  const JobContext& context);

}  // namespace edgegate
