#include "scheduler/encoder_loop.h"

#include <algorithm>

namespace edgegate {
namespace {

// Time for slices between looks for new requests.
constexpr auto kAlone = std::chrono::milliseconds(50);
// Time of a slice while other models have running streams.
constexpr auto kBesideStreams = std::chrono::milliseconds(10);
constexpr int kLeastTokens = 16;  // of such a slice
constexpr int kSmoothing = 8;

}  // namespace

EncoderLoop::EncoderLoop(std::unique_ptr<TextEncoder> encoder,
                         std::function<Status()> check_weights)
    : encoder_(std::move(encoder)),
      limits_(encoder_->limits()),
      limiter_(std::make_shared<AdmissionLimiter>(kMaxTexts, "texts", "")),
      weights_(std::move(check_weights)) {}

Status EncoderLoop::Check(const EncodeRequest& request) const {
  if (request.texts.empty()) return InvalidArgument("the request has no texts");
  for (const auto& text : request.texts) {
    if (text.empty()) return InvalidArgument("a text has no tokens");
    if (std::ssize(text) > limits_.max_text_tokens) {
      return InvalidArgument("a text has {} tokens: at most {}", text.size(),
                             limits_.max_text_tokens);
    }
    for (const int32_t token : text) {
      if (token < 0 || token >= limits_.vocab_size) {
        return InvalidArgument("token id {} is not in the vocabulary of {}", token,
                               limits_.vocab_size);
      }
    }
  }
  return {};
}

void EncoderLoop::Add(std::shared_ptr<EncodeJob> job) {
  if (const Status failed = failure(); !failed.ok()) return job->Fail(failed);
  queue_.Add(std::move(job));
}

void EncoderLoop::Visit(const std::function<void(EncodeJob*)>& visit) {
  queue_.Visit(visit);
  for (const EncodeQueue::Item& item : batch_) visit(item.job.get());
  // If nobody waits for the batch, it is dropped.
  if (std::ranges::all_of(batch_, [](const auto& item) { return item.job->ended(); })) {
    batch_.clear();
  }
}

void EncoderLoop::CancelAll() {
  Visit([](EncodeJob* job) { job->Fail(Unavailable("the server is shutting down")); });
}

void EncoderLoop::Sweep(Clock::time_point now) {
  Visit([&](EncodeJob* job) {
    if (job->cancelled()) {
      job->Fail(Cancelled("the request was cancelled"));
    } else if (job->request().deadline && *job->request().deadline <= now) {
      job->Fail(Status(StatusCode::kDeadlineExceeded, "the request's time limit passed"));
    }
  });
}

int EncoderLoop::TokensOfSlice(bool others_running) const {
  if (!others_running || token_cost_ == Clock::duration(0)) return limits_.max_batched_tokens;
  return static_cast<int>(
      std::clamp<int64_t>(kBesideStreams / token_cost_, kLeastTokens, limits_.max_batched_tokens));
}

bool EncoderLoop::Step(bool others_running) {
  const auto until = Clock::now() + kAlone;
  bool good = true;
  while (HasWork()) {
    good = Slice(others_running) && good;
    if (others_running || Clock::now() >= until) break;
  }
  return good;
}

// Computes a slice of the batch, or of the next one. False: the computation failed.
bool EncoderLoop::Slice(bool others_running) {
  const int max_tokens = TokensOfSlice(others_running);
  if (batch_.empty()) {
    batch_ = queue_.TakeBatch(limits_, max_tokens);
    batch_tokens_ = 0;
    for (const auto& item : batch_) batch_tokens_ += static_cast<int>(item.tokens().size());
    begun_ = false;
  }
  bool complete = false;
  const Status status = Compute(max_tokens, &complete);
  const Status weights = weights_.Run();
  if (!weights.ok()) {
    Visit([&](EncodeJob* job) { job->Fail(weights); });
    batch_.clear();
    return false;
  }
  if (!status.ok()) {
    FailBatch(status);
    return false;
  }
  if (!complete) return true;
  for (size_t i = 0; i < batch_.size(); ++i) {
    batch_[i].job->Deliver(batch_[i].text, encoder_->Embedding(static_cast<int>(i)));
  }
  texts_encoded_ += batch_.size();
  tokens_encoded_ += static_cast<uint64_t>(batch_tokens_);
  batch_.clear();
  return true;
}

Status EncoderLoop::Compute(int max_tokens, bool* complete) {
  const auto began = Clock::now();
  if (!begun_) {
    std::vector<TextTokens> texts;
    for (const auto& item : batch_) texts.push_back(item.tokens());
    EG_RETURN_IF_ERROR(encoder_->Begin(texts));
    begun_ = true;
  }
  EG_ASSIGN_OR_RETURN(*complete, encoder_->Slice(max_tokens));
  const auto cost = (Clock::now() - began) / std::min(max_tokens, batch_tokens_);
  token_cost_ =
      token_cost_ == Clock::duration(0) ? cost : token_cost_ + (cost - token_cost_) / kSmoothing;
  return {};
}

void EncoderLoop::FailBatch(const Status& status) {
  for (const EncodeQueue::Item& item : batch_) item.job->Fail(status);
  batch_.clear();
  Visit([](EncodeJob*) {});  // drops the other texts of these requests
}

EngineSnapshot::Model EncoderLoop::snapshot() const {
  EngineSnapshot::Model model;
  model.running = static_cast<int>(batch_.size());
  model.waiting = queue_.num_texts();
  model.prompt_tokens = tokens_encoded_;
  model.texts_encoded = texts_encoded_;
  model.failure = failure().message();
  return model;
}

}  // namespace edgegate
