#include "server/worker/job_slots.h"

#include <algorithm>

namespace edgegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kCheckEvery = std::chrono::milliseconds(20);

Status ShuttingDown() { return Unavailable("the server is shutting down"); }

}  // namespace

Result<JobSlots::Slot> JobSlots::Acquire(const JobContext& context) {
  const auto until = Clock::now() + longest_wait_;
  MutexLock lock(mutex_);
  if (closed_) return ShuttingDown();
  if (waiting_ >= max_waiting_) {
    return Unavailable("{} requests are waiting to be read already", max_waiting_);
  }
  Waiter waiter;
  Enqueue(context.client, &waiter);
  GrantNext();
  while (!waiter.granted) {
    // No notification comes when the client leaves. So the wait is short and repeated.
    changed_.WaitUntil(mutex_, std::min(until, Clock::now() + kCheckEvery));
    if (waiter.granted) break;
    Status status;
    if (closed_) status = ShuttingDown();
    if (context.cancelled && context.cancelled()) status = Cancelled("the client has left");
    if (Clock::now() >= until) {
      status =
          Unavailable("the request waited for more than {} s to be read", longest_wait_.count());
    }
    if (status.ok()) continue;
    Remove(&waiter);
    return status;
  }
  return Slot(this);
}

void JobSlots::Close() {
  MutexLock lock(mutex_);
  closed_ = true;
  changed_.NotifyAll();
}

bool JobSlots::closed() const {
  MutexLock lock(mutex_);
  return closed_;
}

void JobSlots::Release() {
  MutexLock lock(mutex_);
  ++free_;
  GrantNext();
}

void JobSlots::Enqueue(const std::string& name, Waiter* waiter) {
  auto client = std::find_if(clients_.begin(), clients_.end(),
                             [&](const Client& c) { return c.name == name; });
  if (client == clients_.end()) client = clients_.insert(clients_.end(), Client{name, {}});
  client->waiters.push_back(waiter);
  ++waiting_;
}

void JobSlots::Remove(Waiter* waiter) {
  for (auto client = clients_.begin(); client != clients_.end(); ++client) {
    if (std::erase(client->waiters, waiter) == 0) continue;
    --waiting_;
    if (client->waiters.empty()) clients_.erase(client);
    return;
  }
}

// Gives a slot to the oldest waiting job of the first client. That client then moves to the end.
void JobSlots::GrantNext() {
  while (free_ > 0 && !clients_.empty()) {
    Client& client = clients_.front();
    client.waiters.front()->granted = true;
    client.waiters.pop_front();
    --waiting_;
    --free_;
    if (client.waiters.empty()) {
      clients_.pop_front();
    } else {
      clients_.splice(clients_.end(), clients_, clients_.begin());
    }
    changed_.NotifyAll();
  }
}

}  // namespace edgegate
