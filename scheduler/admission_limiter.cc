#include "scheduler/admission_limiter.h"

#include <algorithm>

namespace edgegate {

AdmissionTicket::AdmissionTicket(std::shared_ptr<AdmissionLimiter> limiter, std::string client,
                                 int places)
    : limiter_(std::move(limiter)), client_(std::move(client)), places_(places) {}

AdmissionTicket& AdmissionTicket::operator=(AdmissionTicket&& other) noexcept {
  Release(places_);
  limiter_ = std::move(other.limiter_);
  client_ = std::move(other.client_);
  places_ = std::exchange(other.places_, 0);
  return *this;
}

void AdmissionTicket::Release(int places) {
  places = std::min(places, places_);
  if (places <= 0) return;
  places_ -= places;
  limiter_->Leave(client_, places);
}

Result<AdmissionTicket> AdmissionLimiter::Enter(const std::string& client, int places) {
  MutexLock lock(mutex_);
  const int free = max_waiting_ - total_ - places;
  if (free < 0) {
    return ResourceExhausted("{} {} are waiting already, and the limit is {}{}", total_, what_,
                             max_waiting_, setting_);
  }
  const auto found = held_.find(client);
  const int held = found == held_.end() ? 0 : found->second;
  if (int64_t{held} + places > kShare * (int64_t{free} + 1)) {
    return ResourceExhausted(
        "{} {} of this client are waiting already: one client may hold three quarters of the {} "
        "places{} that others leave free",
        held, what_, max_waiting_, setting_);
  }
  total_ += places;
  held_[client] = held + places;
  return AdmissionTicket(shared_from_this(), client, places);
}

int AdmissionLimiter::waiting() const {
  MutexLock lock(mutex_);
  return total_;
}

void AdmissionLimiter::Leave(const std::string& client, int places) {
  MutexLock lock(mutex_);
  total_ -= places;
  const auto found = held_.find(client);
  if ((found->second -= places) == 0) held_.erase(found);
}

}  // namespace edgegate
