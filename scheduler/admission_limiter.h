// Admission control: limits the sequences of one model that wait for their first step, in all and
// for each client.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/base/mutex.h"
#include "engine/base/status.h"

namespace edgegate {

class AdmissionLimiter;

// Places in the waiting queue that the sequences of a request hold. Gives them back when destroyed.
// Used by one thread at a time.
class AdmissionTicket {
 public:
  AdmissionTicket() = default;
  AdmissionTicket(std::shared_ptr<AdmissionLimiter> limiter, std::string client, int places);
  AdmissionTicket(AdmissionTicket&& other) noexcept { *this = std::move(other); }
  AdmissionTicket& operator=(AdmissionTicket&& other) noexcept;
  ~AdmissionTicket() { Release(places_); }

  // Gives `places` places back, at most those that are left.
  void Release(int places);

 private:
  std::shared_ptr<AdmissionLimiter> limiter_;  // null: the ticket holds no place
  std::string client_;
  int places_ = 0;
};

// Dynamic queue thresholds (Choudhury and Hahne 1998): a client may hold at most kShare times the
// number of free places. A single client can therefore hold three quarters of the places, and the
// next one three quarters of the rest. A new client finds a place while others fill the queue.
// Memory: one entry for each client that holds a place. Provides its own synchronization.
class AdmissionLimiter : public std::enable_shared_from_this<AdmissionLimiter> {
 public:
  static constexpr int kShare = 3;

  // `what` and `setting` are for messages: what takes a place, and the setting with the limit, or
  // an empty text.
  explicit AdmissionLimiter(int max_waiting, const char* what = "sequences",
                            const char* setting = " (engine.max_waiting)")
      : max_waiting_(max_waiting), what_(what), setting_(setting) {}

  // Takes `places` places for the client. kResourceExhausted, naming the limit, if there are too
  // few.
  Result<AdmissionTicket> Enter(const std::string& client, int places) EG_EXCLUDES(mutex_);

  // Number of places that are held.
  int waiting() const EG_EXCLUDES(mutex_);

 private:
  friend class AdmissionTicket;
  void Leave(const std::string& client, int places) EG_EXCLUDES(mutex_);

  const int max_waiting_;
  const char* const what_;
  const char* const setting_;
  mutable Mutex mutex_;
  int total_ EG_GUARDED_BY(mutex_) = 0;
  std::map<std::string, int> held_ EG_GUARDED_BY(mutex_);  // by client; never 0
};

}  // namespace edgegate
