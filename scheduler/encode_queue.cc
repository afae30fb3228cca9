#include "scheduler/encode_queue.h"

#include <algorithm>

namespace edgegate {

void EncodeQueue::Add(std::shared_ptr<EncodeJob> job) {
  const std::string& name = job->request().client;
  const auto owner = std::ranges::find(owners_, name, &Owner::name);
  if (owner != owners_.end()) {
    owner->jobs.push_back(std::move(job));
    return;
  }
  owners_.push_back({name, {}});
  owners_.back().jobs.push_back(std::move(job));
}

std::vector<EncodeQueue::Item> EncodeQueue::TakeBatch(const TextEncoderLimits& limits,
                                                      int max_tokens) {
  const int most = std::min(max_tokens, limits.max_batched_tokens);
  std::vector<Item> batch;
  int64_t tokens = 0;
  while (!owners_.empty() && std::ssize(batch) < limits.max_batched_texts) {
    Owner& owner = owners_.front();
    const std::shared_ptr<EncodeJob> job = owner.jobs.front();
    tokens += std::ssize(job->request().texts[static_cast<size_t>(job->next())]);
    if (tokens > most && !batch.empty()) break;
    batch.push_back({job, job->TakeNext()});
    if (!job->has_next()) owner.jobs.pop_front();
    Owner moved = std::move(owner);
    owners_.pop_front();
    if (!moved.jobs.empty()) owners_.push_back(std::move(moved));
  }
  return batch;
}

void EncodeQueue::Visit(const std::function<void(EncodeJob*)>& visit) {
  for (Owner& owner : owners_) {
    std::erase_if(owner.jobs, [&](const auto& job) {
      visit(job.get());
      return job->ended();
    });
  }
  std::erase_if(owners_, [](const Owner& owner) { return owner.jobs.empty(); });
}

int EncodeQueue::num_texts() const {
  int texts = 0;
  for (const Owner& owner : owners_) {
    for (const auto& job : owner.jobs) {
      texts += static_cast<int>(job->request().texts.size()) - job->next();
    }
  }
  return texts;
}

}  // namespace edgegate
