#include "server/call/image_loader.h"

#include "server/media/data_url.h"

namespace edgegate {
namespace {

bool IsHttp(const std::string& url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

Result<PromptMedia> LoadOne(const std::string& url, const ServedModel& model,
                            const FetchOptions& fetch, const JobContext& context) {
  EG_ASSIGN_OR_RETURN(const std::string file,
                      IsHttp(url) ? FetchImage(url, fetch, context.cancelled) : DecodeDataUrl(url));
  return LoadImageFile(file, model, context);
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

std::variant<std::vector<PromptMedia>, CallError> LoadImages(
    const std::vector<ImageSource>& sources, const ServedModel& model, const FetchOptions& fetch,
    const JobContext& context) {
  std::vector<PromptMedia> images;
  for (const ImageSource& image : sources) {
    auto loaded = LoadOne(image.url, model, fetch, context);
    if (!loaded.ok()) return AtField(image.field, loaded.status(), "invalid_image");
    images.push_back(*std::move(loaded));
  }
  return images;
}

}  // namespace edgegate
