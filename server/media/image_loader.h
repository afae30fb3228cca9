// From the URLs in a request to the pictures that a model takes.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/mutex.h"
#include "scheduler/request.h"
#include "server/media/fetch.h"
#include "server/openai/errors.h"
#include "server/openai/request.h"
#include "server/served_model.h"

namespace edgegate {

// Provides its own synchronization.
class ImageLoader {
 public:
  explicit ImageLoader(FetchOptions fetch) : fetch_(std::move(fetch)) {}

  // Reads or fetches, decodes and prepares each picture; their positions are left 0. The error is
  // the client's answer and names the picture's place in the request.
  std::variant<std::vector<PromptImage>, ApiError> Load(const std::vector<ImageUrl>& urls,
                                                        const ServedModel& model);

  // One picture from a file's bytes, `size` pixels a side. Errors are DecodeImage's.
  Result<PromptImage> Prepare(std::string_view file, int size);

 private:
  class Turn;
  Result<PromptImage> LoadOne(const std::string& url, int size);

  const FetchOptions fetch_;
  // Decoding a large picture takes some hundred megabytes: few at a time.
  Mutex mutex_;
  CondVar changed_;
  int decoding_ EG_GUARDED_BY(mutex_) = 0;
};

}  // namespace edgegate
