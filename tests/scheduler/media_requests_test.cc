// Requests with images through the loop: the cache, the order in which images are encoded, and
// streams that continue during encoding.

#include <doctest/doctest.h>

#include <map>

#include "scheduler/model_loop.h"
#include "scheduler/request_check.h"
#include "tests/fakes/add_request.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kVocab = 50;
const RunnerLimits kLimits{kVocab, 64, 4, 40, 32, 8, 2, std::make_shared<FakeMedia>()};

// A loop, and requests about one image.
struct Gallery {
  Gallery() {
    auto owned = std::make_unique<FakeModelRunner>(kLimits);
    runner = owned.get();
    loop = std::make_unique<ModelLoop>(std::move(owned), SchedulerSettings{8, 32, 100},
                                       std::vector<bool>(kVocab, true));
  }
  std::shared_ptr<GenerationStream> Ask(uint8_t color, int max_tokens,
                                        const std::string& client = "",
                                        const std::string& tenant = "") {
    GenerationRequest r;
    r.client = client;
    r.tenant = tenant;
    r.prompt = {1, 2, 2, 2, 3};
    r.media = {{1, FakeImage(color)}};
    r.max_tokens = max_tokens;
    r.stop_token_ids = {-1};
    auto stream = std::make_shared<GenerationStream>(1);
    AddRequest(loop.get(), r, stream);
    return stream;
  }
  std::vector<int32_t> Finish(GenerationStream* stream) const {
    std::vector<int32_t> tokens;
    while (loop->HasWork()) loop->Step(false);
    while (auto event = stream->Next(Clock::time_point())) {
      for (const SampledToken& t : event->tokens) tokens.push_back(t.token);
    }
    return tokens;
  }
  FakeModelRunner* runner;
  std::unique_ptr<ModelLoop> loop;
};

TEST_CASE("an equal image is a cache hit, and a different image is not") {
  Gallery gallery;
  const auto first = gallery.Finish(gallery.Ask(1, 6).get());
  CHECK(first.size() == 6);
  CHECK(gallery.loop->snapshot().images_encoded == 1);
  CHECK(gallery.Finish(gallery.Ask(1, 6).get()) == first);
  CHECK(gallery.loop->snapshot().images_encoded == 1);
  CHECK(gallery.loop->snapshot().image_cache_hits == 1);
  CHECK(gallery.Finish(gallery.Ask(2, 6).get()) != first);
  CHECK(gallery.loop->snapshot().images_encoded == 2);
}

TEST_CASE("a tenant does not find another tenant's encoded image") {
  Gallery gallery;
  const auto first = gallery.Finish(gallery.Ask(1, 6, "", "a").get());
  CHECK(gallery.Finish(gallery.Ask(1, 6, "", "b").get()) == first);
  CHECK(gallery.loop->snapshot().images_encoded == 2);
  CHECK(gallery.loop->snapshot().image_cache_hits == 0);
  CHECK(gallery.Finish(gallery.Ask(1, 6, "", "a").get()) == first);
  CHECK(gallery.loop->snapshot().images_encoded == 2);
  CHECK(gallery.loop->snapshot().image_cache_hits == 1);
}

TEST_CASE("streams continue while an image is encoded") {
  Gallery gallery;
  auto running = gallery.Ask(1, 40);
  while (!gallery.loop->HasRunning()) gallery.loop->Step(false);
  auto second = gallery.Ask(2, 4);
  for (int i = 0; i < 2; ++i) {
    const auto before = gallery.loop->snapshot().generated_tokens;
    gallery.loop->Step(true);  // one slice of three
    CHECK(gallery.loop->snapshot().generated_tokens == before + 1);
    CHECK(gallery.loop->snapshot().images_encoded == 1);
    CHECK(gallery.loop->snapshot().waiting == 1);
  }
  gallery.Finish(second.get());
  CHECK(gallery.loop->snapshot().images_encoded == 2);
}

TEST_CASE("a cancelled request drops its image, and a failed image ends its request alone") {
  Gallery gallery;
  auto leaving = gallery.Ask(1, 4), failing = gallery.Ask(2, 4), staying = gallery.Ask(3, 4);
  gallery.loop->Step(true);
  leaving->RequestCancel(-1);
  gallery.loop->Sweep(Clock::now());
  CHECK(gallery.loop->snapshot().waiting == 2);
  gallery.runner->fail_next = 1;
  CHECK_FALSE(gallery.loop->Step(true));
  CHECK(gallery.Finish(staying.get()).size() == 4);
  CHECK(gallery.loop->snapshot().images_encoded == 1);
  const auto failed = failing->Next(Clock::time_point());
  REQUIRE(failed);
  CHECK(failed->finish == FinishReason::kError);
}

TEST_CASE("clients take turns by image, after the image that is being encoded") {
  Gallery gallery;
  std::vector<std::shared_ptr<GenerationStream>> many;
  for (uint8_t i = 0; i < 6; ++i) many.push_back(gallery.Ask(i, 1, "a"));
  gallery.loop->Step(true);  // the first one's first slice
  auto one = gallery.Ask(100, 1, "b"), two = gallery.Ask(101, 1, "b"),
       other = gallery.Ask(102, 1, "c");
  const auto done = [](const std::shared_ptr<GenerationStream>& stream) {
    return stream->Next(Clock::time_point()).has_value();
  };
  const auto steps = [&](int count) {
    for (int i = 0; i < count; ++i) gallery.loop->Step(true);  // three to an image
  };
  steps(3);
  CHECK(done(many[0]));
  CHECK_FALSE(done(one));
  steps(6);
  CHECK(done(one));
  CHECK(done(other));
  CHECK_FALSE(done(many[1]));
  steps(6);
  CHECK(done(many[1]));
  CHECK(done(two));
  for (int i = 2; i < 6; ++i) CHECK_FALSE(done(many[i]));
  steps(13);
  for (int i = 2; i < 6; ++i) CHECK(done(many[i]));
}

// Keeps the batches that it computes.
class Recorder : public FakeModelRunner {
 public:
  using FakeModelRunner::FakeModelRunner;
  Result<ForwardOutput> Forward(const ForwardBatch& batch) override {
    for (size_t s = 0; s < batch.spans.size(); ++s) {
      const SequenceSpan& span = batch.spans[s];
      for (int i = 0; i < span.count && !batch.positions.empty(); ++i) {
        positions[span.context_len + i] = batch.positions[span.first + i];
      }
    }
    for (const MediaSpan& media : batch.media) {
      for (int i = 0; i < media.count; ++i) rows.push_back(media.row + i);
    }
    return FakeModelRunner::Forward(batch);
  }
  std::map<int, RopePosition> positions;  // by index in the sequence
  std::vector<int> rows;                  // of media, in the order of their tokens
};

GenerationRequest TwoImages() {
  GenerationRequest r;
  r.prompt = {1, 2, 2, 2, 2, 3, 4, 2, 2, 5};
  r.media = {{1, FakeImage(1, 3)}, {7, FakeImage(2, 1)}};  // 4 rows, 2 rows
  r.max_tokens = 3;
  r.stop_token_ids = {-1};
  return r;
}

TEST_CASE("several items of different numbers of rows take their places, in chunks of any size") {
  for (const int chunk : {1, 3, 32}) {
    RunnerLimits limits = kLimits;
    limits.max_batched_tokens = chunk;
    auto owned = std::make_unique<Recorder>(limits);
    const Recorder& runner = *owned;
    ModelLoop loop(std::move(owned), SchedulerSettings{8, chunk, 100},
                   std::vector<bool>(kVocab, true));
    const auto stream = std::make_shared<GenerationStream>(1);
    AddRequest(&loop, TwoImages(), stream);
    while (loop.HasWork()) loop.Step(false);
    CHECK(runner.rows == std::vector<int>{0, 1, 2, 3, 0, 1});
    CHECK(runner.positions.empty());  // the model has one axis
    CHECK(runner.violation() == "");
  }
}

TEST_CASE("with several axes, each token has its position, also behind the items") {
  RunnerLimits limits = kLimits;
  limits.media = std::make_shared<FakeMedia>(true);
  limits.position_axes = 3;
  auto owned = std::make_unique<Recorder>(limits);
  const Recorder& runner = *owned;
  ModelLoop loop(std::move(owned), SchedulerSettings{8, 4, 100}, std::vector<bool>(kVocab, true));
  const auto stream = std::make_shared<GenerationStream>(1);
  AddRequest(&loop, TwoImages(), stream);
  while (loop.HasWork()) loop.Step(false);
  const std::vector<RopePosition> want = {
      {0, 0, 0}, {1, 1, 1}, {1, 1, 2}, {1, 2, 1}, {1, 2, 2},  // text, the first item's rows
      {3, 3, 3}, {4, 4, 4}, {5, 5, 5}, {5, 5, 6}, {7, 7, 7},  // text, the second item's, text
      {8, 8, 8}, {9, 9, 9}};                                  // generated
  REQUIRE(runner.positions.size() >= want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    CHECK(runner.positions.at(static_cast<int>(i)) == want[i]);
  }
  CHECK(runner.violation() == "");
}

TEST_CASE("media that the model does not take, or that do not fit the prompt, are refused") {
  const auto status = [](const GenerationRequest& request, const RunnerLimits& limits) {
    return CheckRequest(request, limits);
  };
  CHECK(status(TwoImages(), kLimits).ok());
  RunnerLimits text_only = kLimits;
  text_only.media = nullptr;
  CHECK(status(TwoImages(), text_only).code() == StatusCode::kInvalidArgument);
  GenerationRequest audio = TwoImages();
  audio.media[0].item.kind = MediaKind::kAudio;
  CHECK(status(audio, kLimits).code() == StatusCode::kInvalidArgument);
  GenerationRequest overlapping = TwoImages();
  overlapping.media[1].position = 4;
  CHECK(status(overlapping, kLimits).code() == StatusCode::kInternal);
  GenerationRequest outside = TwoImages();
  outside.media[1].position = 9;
  CHECK(status(outside, kLimits).code() == StatusCode::kInternal);
}

}  // namespace
}  // namespace edgegate
