// Loads the images of a request from their URLs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "scheduler/request.h"
#include "server/access/memory_budget.h"
#include "server/call/call.h"
#include "server/call/call_error.h"
#include "server/call/served_model.h"
#include "server/media/fetch.h"

namespace edgegate {

// Checks that the model takes images, and that the call has not too many.
std::optional<CallError> CheckImages(const std::vector<ImageSource>& sources,
                                     const ServedModel& model);

// Reads or fetches each image, decodes it and prepares it for the model. Positions are 0. All
// fetches together get the time of one. Each image after the first takes a share of `memory` for
// its pixels and rows, until the last copy of its item is destroyed; `memory` must outlive the
// items. Ends with an error as soon as the images have more tokens than the context. An error names
// the image's field in the request. Precondition: CheckImages() found no error. Thread-safe.
std::variant<std::vector<PromptMedia>, CallError> LoadImages(
    const std::vector<ImageSource>& sources, const ServedModel& model, const FetchOptions& fetch,
    MemoryBudget* memory, const JobContext& context);

// Takes the memory of an image's pixels and of its `rows` rows, until the last copy of the item is
// destroyed. kResourceExhausted: there is not enough memory for a while. Thread-safe.
Status ChargeImage(int rows, const ServedModel& model, MemoryBudget* memory, MediaItem* item);

// Loads one image from the bytes of a file. Errors: as ModelText::PrepareImage.
Result<PromptMedia> LoadImageFile(std::string_view file, const ServedModel& model,
                                  const JobContext& context);

}  // namespace edgegate
