#include "server/call/image_loader.h"

#include <chrono>
#include <memory>
#include <utility>

#include "server/media/data_url.h"

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

bool IsHttp(const std::string& url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

// The time that all fetches of a request may take together.
class FetchTime {
 public:
  explicit FetchTime(const FetchOptions& options)
      : options_(options), end_(Clock::now() + std::chrono::seconds(options.timeout_s)) {}

  Result<std::string> Fetch(const std::string& url, const JobContext& context) const {
    FetchOptions options = options_;
    const auto left = std::chrono::ceil<std::chrono::seconds>(end_ - Clock::now()).count();
    if (left <= 0) {
      return InvalidArgument(
          "the images of a request could not be fetched within {} s "
          "(server.read_timeout_s)",
          options_.timeout_s);
    }
    options.timeout_s = static_cast<int>(left);
    return FetchImage(url, options, context.cancelled);
  }

 private:
  const FetchOptions& options_;
  const Clock::time_point end_;
};

Result<PromptMedia> LoadOne(const std::string& url, const ServedModel& model, const FetchTime& time,
                            const JobContext& context) {
  EG_ASSIGN_OR_RETURN(const std::string file,
                      IsHttp(url) ? time.Fetch(url, context) : DecodeDataUrl(url));
  return LoadImageFile(file, model, context);
}

// Pixels, and the memory that they and the rows of their image take.
struct HeldPixels {
  std::shared_ptr<const std::vector<uint8_t>> pixels;
  MemoryBudget::Lease lease;
};

CallError TooManyRows(const std::string& field, size_t all, size_t read, int64_t rows,
                      const ServedModel& model) {
  return BadField(field,
                  fmt::format("This model's maximum context length is {} tokens. However, the "
                              "request shows {} images, and the first {} have {} tokens.",
                              model.limits.max_model_len, all, read, rows),
                  "context_length_exceeded");
}

}  // namespace

std::optional<CallError> CheckImages(const std::vector<ImageSource>& sources,
                                     const ServedModel& model) {
  if (sources.empty()) return std::nullopt;
  if (!model.limits.media) {
    return BadField(sources[0].field,
                    fmt::format("'{}' is {}, but the model '{}' takes text only.", sources[0].field,
                                sources[0].video ? "a video" : "an image", model.name));
  }
  if (static_cast<int>(sources.size()) > model.max_images) {
    return BadField(sources[static_cast<size_t>(model.max_images)].field,
                    fmt::format("The request shows {} images; at most {} may be shown "
                                "(engine.max_images).",
                                sources.size(), model.max_images),
                    "too_many_images");
  }
  return std::nullopt;
}

Result<PromptMedia> LoadImageFile(std::string_view file, const ServedModel& model,
                                  const JobContext& context) {
  const int size = model.limits.media->image_size();
  EG_ASSIGN_OR_RETURN(PreparedImage image, model.text->PrepareImage(file, size, context));
  // The key is a hash of the pixels that the model reads. Two files with the same pixels have the
  // same key.
  return PromptMedia{
      0, SquareImage(std::make_shared<const std::vector<uint8_t>>(std::move(image.pixels)), size,
                     std::move(image.sha256))};
}

Status ChargeImage(int rows, const ServedModel& model, MemoryBudget* memory, MediaItem* item) {
  const int64_t row = int64_t{model.limits.hidden_size} * static_cast<int64_t>(sizeof(float));
  const int64_t bytes = static_cast<int64_t>(item->pixels->size()) + rows * row;
  auto held = std::make_shared<HeldPixels>(HeldPixels{item->pixels, memory->MakeLease()});
  EG_RETURN_IF_ERROR(held->lease.Grow(bytes, Clock::now() + MemoryBudget::kWait));
  item->pixels = {held, held->pixels.get()};
  return {};
}

std::variant<std::vector<PromptMedia>, CallError> LoadImages(
    const std::vector<ImageSource>& sources, const ServedModel& model, const FetchOptions& fetch,
    MemoryBudget* memory, const JobContext& context) {
  const FetchTime time(fetch);
  std::vector<PromptMedia> images;
  int64_t rows = 0;
  for (const ImageSource& source : sources) {
    auto image = LoadOne(source.url, model, time, context);
    if (!image.ok()) return AtField(source.field, image.status(), "invalid_image");
    const auto layout = model.limits.media->Layout(image->item);
    if (!layout.ok()) return AtField(source.field, layout.status(), "invalid_image");
    rows += layout->rows;
    images.push_back(*std::move(image));
    if (rows > model.limits.max_model_len) {
      return TooManyRows(source.field, sources.size(), images.size(), rows, model);
    }
    if (images.size() == 1) continue;
    const Status charged = ChargeImage(layout->rows, model, memory, &images.back().item);
    if (!charged.ok()) return AtField(source.field, charged);
  }
  return images;
}

}  // namespace edgegate
