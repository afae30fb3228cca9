// What cpp-httplib 0.11 does not offer: a thread for each connection, and a look at whether a
// client is still there.
#pragma once

#include <httplib.h>

#include <functional>
#include <set>
#include <thread>

#include "engine/base/mutex.h"

namespace edgegate {

// Runs each connection on a thread of its own, since a stream holds its thread for long; past the
// limit, connections wait for one to end. Provides its own synchronization.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(int limit) : limit_(limit) {}
  // The return type differs between versions of httplib.
  using EnqueueResult =
      decltype(std::declval<httplib::TaskQueue>().enqueue(std::function<void()>()));
  EnqueueResult enqueue(std::function<void()> connection) override;
  void shutdown() override;

 private:
  const int limit_;
  Mutex mutex_;
  CondVar changed_;
  int running_ EG_GUARDED_BY(mutex_) = 0;
};

// Tells whether the client that sent `request` has closed its end. Owned by one thread.
class ClientWatch {
 public:
  explicit ClientWatch(const httplib::Request& request);
  bool gone() const;

 private:
  int socket_ = -1;  // of this process; not owned; -1: not found, never gone
};

}  // namespace edgegate
