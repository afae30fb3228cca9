// Keeps responses in memory, so that later requests can continue them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/mutex.h"

namespace edgegate {

// A response and the turns before it. All texts are JSON.
struct StoredResponse {
  std::string id;
  std::string answer;              // the response, as the client got it
  std::vector<std::string> input;  // items of all turns up to the response
  // The response's own items, with their ids.
  std::vector<std::pair<std::string, std::string>> output;
};

// Holds the responses of each API key separately: no key finds those of another one. If a limit is
// exceeded, the oldest responses are dropped first. Provides its own synchronization.
class ResponseStore {
 public:
  struct Limits {
    size_t total_bytes = size_t{32} << 20;
    size_t tenant_bytes = size_t{8} << 20;
    size_t tenant_responses = 1024;
  };

  ResponseStore() : ResponseStore(Limits()) {}
  explicit ResponseStore(const Limits& limits) : limits_(limits) {}

  // Returns the memory that a response takes.
  static size_t BytesOf(const StoredResponse& response);
  const Limits& limits() const { return limits_; }

  // Stores a response of the tenant. False: it is larger than a tenant's share.
  bool Put(const std::string& tenant, StoredResponse response) EG_EXCLUDES(mutex_);
  // Returns the tenant's response. Null: there is none.
  std::shared_ptr<const StoredResponse> Find(const std::string& tenant, const std::string& id) const
      EG_EXCLUDES(mutex_);
  // Returns an output item of one of the tenant's responses. nullopt: there is none.
  std::optional<std::string> FindItem(const std::string& tenant, const std::string& id) const
      EG_EXCLUDES(mutex_);
  // Drops a response. False: there is none.
  bool Delete(const std::string& tenant, const std::string& id) EG_EXCLUDES(mutex_);

 private:
  struct Shelf {
    std::deque<std::shared_ptr<const StoredResponse>> responses;  // the oldest is first
    size_t bytes = 0;
  };

  void DropOldest(Shelf* shelf) EG_REQUIRES(mutex_);

  const Limits limits_;
  mutable Mutex mutex_;
  std::map<std::string, Shelf> shelves_ EG_GUARDED_BY(mutex_);  // by tenant
  size_t bytes_ EG_GUARDED_BY(mutex_) = 0;
};

}  // namespace edgegate
