#include "scheduler/sequence_group.h"

#include <algorithm>

namespace edgegate {
namespace {

// Returns the ids of the vocabulary among `ids`, ascending, without duplicates.
std::vector<int32_t> SortedIds(std::vector<int32_t> ids, int vocab_size) {
  std::erase_if(ids, [&](int32_t id) { return id < 0 || id >= vocab_size; });
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  ids.shrink_to_fit();
  return ids;
}

// Sorts the biases by id, adds those of one id, and drops ids outside of the vocabulary.
void MergeBiases(std::vector<std::pair<int32_t, float>>* biases, int vocab_size) {
  std::erase_if(*biases, [&](const auto& b) { return b.first < 0 || b.first >= vocab_size; });
  std::stable_sort(biases->begin(), biases->end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  size_t kept = 0;
  for (size_t i = 0; i < biases->size(); ++i) {
    auto [id, bias] = (*biases)[i];
    if (kept > 0 && (*biases)[kept - 1].first == id) {
      (*biases)[kept - 1].second += bias;
    } else {
      (*biases)[kept++] = {id, bias};
    }
  }
  biases->resize(kept);
  biases->shrink_to_fit();
}

// The items' places in the prompt. Precondition: CheckRequest() accepted them.
std::vector<SequenceMedia> PlaceMedia(SequenceGroup* group, const RunnerLimits& limits) {
  std::vector<SequenceMedia> places;
  for (const PromptMedia& media : group->media.items) {
    auto layout = limits.media->Layout(media.item);
    places.push_back({media.position, layout->rows, media.item.key});
    group->positions.Add(media.position, *std::move(layout));
  }
  return places;
}

std::unique_ptr<Sequence> MakeSequence(SequenceGroup* group, int index,
                                       const std::vector<SequenceMedia>& media,
                                       const RunnerLimits& limits) {
  const GenerationRequest& r = group->request;
  auto sequence = std::make_unique<Sequence>();
  // Reserves room for the longest answer, so that decoding moves nothing.
  const int max_length = static_cast<int>(r.prompt.size()) + r.max_tokens;
  sequence->tokens.reserve(static_cast<size_t>(max_length));
  sequence->block_table.reserve(static_cast<size_t>(BlocksFor(max_length, limits.block_size)));
  sequence->tokens = r.prompt;
  sequence->tenant = r.tenant;
  sequence->client = r.client;
  sequence->prompt_len = static_cast<int>(r.prompt.size());
  sequence->max_tokens = r.max_tokens;
  sequence->wants_prompt_logits = index == 0 && r.num_prompt_logprobs >= 0;
  sequence->media = media;
  sequence->group = group;
  sequence->index = index;
  sequence->counts.prompt = group->prompt_ids;
  if (r.constraint) sequence->constraint = r.constraint->Clone();
  return sequence;
}

}  // namespace

std::unique_ptr<SequenceGroup> MakeSequenceGroup(GenerationRequest request,
                                                 std::shared_ptr<GenerationStream> events,
                                                 SequenceGroup::Clock::time_point submitted,
                                                 const RunnerLimits& limits) {
  auto group = std::make_unique<SequenceGroup>();
  group->request = std::move(request);
  GenerationRequest& r = group->request;
  group->media.owner = r.client;
  group->media.group = group.get();
  group->events = std::move(events);
  group->submitted = submitted;
  group->media.items = std::move(r.media);
  // The prefix cache's keys begin with the tenant too (Scheduler::KeyOf).
  for (PromptMedia& media : group->media.items) media.item.key = r.tenant + " " + media.item.key;
  const std::vector<SequenceMedia> media = PlaceMedia(group.get(), limits);
  group->stop_ids = SortedIds(std::move(r.stop_token_ids), limits.vocab_size);
  MergeBiases(&r.sampling.logit_bias, limits.vocab_size);
  if (r.sampling.repetition_penalty != 1.0f) {
    group->prompt_ids = SortedIds(r.prompt, limits.vocab_size);
  }
  group->unfinished = r.num_sequences;
  if (!r.branches.empty()) {
    group->unfinished = static_cast<int>(r.branches.size());
    group->scores =
        std::make_unique<BranchScores>(std::move(r.prompt), media, std::move(r.branches));
    group->sequences.push_back(group->scores->NextSequence(group.get()));
  }
  for (int i = 0; i < r.num_sequences && !group->scores; ++i) {
    group->sequences.push_back(MakeSequence(group.get(), i, media, limits));
  }
  r.prompt = {};
  r.stop_token_ids = {};
  r.constraint.reset();
  return group;
}

}  // namespace edgegate
