// From the URLs in a request to the images that a model takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scheduler/request.h"
#include "server/media/fetch.h"
#include "server/openai/errors.h"
#include "server/openai/request.h"
#include "server/served_model.h"

namespace edgegate {

// Checks that the model takes the request's images, and so many of them. The error is the client's
// answer.
std::optional<ApiError> CheckImages(const std::vector<ImageUrl>& urls, const ServedModel& model);

// Reads or fetches, decodes and prepares each image; their positions are left 0. The error is the
// client's answer and names the image's place in the request. Precondition: CheckImages() found
// nothing. Thread-safe.
std::variant<std::vector<PromptImage>, ApiError> LoadImages(const std::vector<ImageUrl>& urls,
                                                            const ServedModel& model,
                                                            const FetchOptions& fetch,
                                                            const JobContext& context);

// One image from a file's bytes. Errors are ModelText::PrepareImage's.
Result<PromptImage> LoadImageFile(std::string_view file, const ServedModel& model,
                                  const JobContext& context);

}  // namespace edgegate
