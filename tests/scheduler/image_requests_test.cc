// Requests with images through the loop: the cache, the order in which images are encoded, and
// streams that go on meanwhile.

#include <doctest/doctest.h>

#include "scheduler/model_loop.h"
#include "tests/fakes/add_request.h"
#include "tests/fakes/fake_model_runner.h"

namespace edgegate {
namespace {

constexpr int kVocab = 50;
const RunnerLimits kLimits{kVocab, 64, 4, 40, 32, 8, 2, 3, 2};

// A loop with one picture to ask about.
struct Gallery {
  Gallery() {
    auto owned = std::make_unique<FakeModelRunner>(kLimits);
    runner = owned.get();
    loop = std::make_unique<ModelLoop>(std::move(owned), SchedulerSettings{8, 32, 100},
                                       std::vector<bool>(kVocab, true));
  }
  std::shared_ptr<GenerationStream> Ask(uint8_t colour, int max_tokens,
                                        const std::string& client = "") {
    GenerationRequest r;
    r.client = client;
    r.prompt = {1, 2, 2, 2, 3};
    r.images = {{1, std::make_shared<std::vector<uint8_t>>(12, colour), std::to_string(colour)}};
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

TEST_CASE("streams continue while an image is encoded") {
  Gallery gallery;
  auto running = gallery.Ask(1, 40);
  while (!gallery.loop->HasRunning()) gallery.loop->Step(false);
  auto second = gallery.Ask(2, 4);
  for (int i = 0; i < 2; ++i) {
    const auto before = gallery.loop->snapshot().generated_tokens;
    gallery.loop->Step(true);  // one unit of three
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
  gallery.loop->Step(true);  // the first one's first unit
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

}  // namespace
}  // namespace edgegate
