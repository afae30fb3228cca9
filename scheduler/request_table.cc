#include "scheduler/request_table.h"

namespace edgegate {

void RequestTable::Add(std::unique_ptr<SequenceGroup> group) {
  groups_.push_back(std::move(group));
  SequenceGroup* added = groups_.back().get();
  if (added->media.items.empty()) {
    Enqueue(added);
  } else {
    media_->Add(&added->media);
  }
}

void RequestTable::Enqueue(SequenceGroup* group) {
  const Sequence* leader = nullptr;
  for (auto& sequence : group->sequences) {
    if (sequence->state == Sequence::State::kFinished) continue;
    sequence->id = next_sequence_id_++;
    sequence->leader = leader;
    if (leader == nullptr) leader = sequence.get();
    scheduler_->Add(sequence.get());
  }
}

void RequestTable::AddBranches() {
  for (auto& group : groups_) {
    while (Sequence* branch = AddBranch(group.get())) {
      branch->id = next_sequence_id_++;
      scheduler_->Add(branch);
    }
  }
}

void RequestTable::CancelAll() {
  for (auto& group : groups_) {
    for (auto& sequence : group->sequences) {
      delivery_->Finish(sequence.get(), FinishReason::kCancelled);
    }
  }
  DropFinished();
}

void RequestTable::Sweep(Clock::time_point now) {
  for (auto& group : groups_) {
    const bool expired = group->request.deadline && *group->request.deadline <= now;
    for (auto& sequence : group->sequences) {
      if (group->events->CancelRequested(sequence->index)) {
        delivery_->Finish(sequence.get(), FinishReason::kCancelled);
      } else if (expired) {
        delivery_->Finish(sequence.get(), FinishReason::kError,
                          Status(StatusCode::kDeadlineExceeded, "the request's time limit passed"));
      }
    }
  }
  DropFinished();
}

void RequestTable::Fail(SequenceGroup* group, const Status& status) {
  delivery_->Fail(group, status);
  DropFinished();
}

void RequestTable::FailAll(const Status& status) {
  for (auto& group : groups_) delivery_->Fail(group.get(), status);
  DropFinished();
}

void RequestTable::DropFinished() {
  std::erase_if(groups_, [&](const auto& group) {
    if (group->unfinished > 0) return false;
    media_->Remove(&group->media);
    return true;
  });
}

void RequestTable::UpdatePaused() {
  std::vector<Sequence*> failed;
  for (Sequence* sequence : scheduler_->running()) {
    if (sequence->awaits_mask) {
      const auto state = sequence->constraint->Poll();
      sequence->awaits_mask = state == TokenConstraint::State::kComputing;
      if (state == TokenConstraint::State::kFailed) failed.push_back(sequence);
    }
    sequence->paused = sequence->awaits_mask || sequence->group->events->Backlogged();
  }
  for (Sequence* sequence : failed) delivery_->Fail(sequence->group, sequence->constraint->error());
  if (!failed.empty()) DropFinished();
}

bool RequestTable::WaitForMask(Clock::time_point deadline) {
  for (Sequence* sequence : scheduler_->running()) {
    if (!sequence->awaits_mask) continue;
    sequence->constraint->Wait(deadline);
    return true;
  }
  return false;
}

}  // namespace edgegate
