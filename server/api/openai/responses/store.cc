#include "server/api/openai/responses/store.h"

#include <algorithm>

namespace edgegate {
namespace {

constexpr size_t kOverhead = 64;  // of one text in memory

size_t BytesOfText(const std::string& text) { return text.size() + kOverhead; }

}  // namespace

size_t ResponseStore::BytesOf(const StoredResponse& response) {
  size_t bytes = BytesOfText(response.id) + BytesOfText(response.answer) + sizeof response;
  for (const std::string& item : response.input) bytes += BytesOfText(item);
  for (const auto& [id, item] : response.output) bytes += BytesOfText(id) + BytesOfText(item);
  return bytes;
}

bool ResponseStore::Put(const std::string& tenant, StoredResponse response) {
  const size_t bytes = BytesOf(response);
  if (bytes > std::min(limits_.tenant_bytes, limits_.total_bytes)) return false;
  MutexLock lock(mutex_);
  Shelf& shelf = shelves_[tenant];
  shelf.responses.push_back(std::make_shared<const StoredResponse>(std::move(response)));
  shelf.bytes += bytes;
  bytes_ += bytes;
  while (shelf.bytes > limits_.tenant_bytes || shelf.responses.size() > limits_.tenant_responses) {
    DropOldest(&shelf);
  }
  // The tenant with the most bytes gives up room.
  while (bytes_ > limits_.total_bytes) {
    DropOldest(
        &std::max_element(shelves_.begin(), shelves_.end(), [](const auto& a, const auto& b) {
           return a.second.bytes < b.second.bytes;
         })->second);
  }
  return true;
}

std::shared_ptr<const StoredResponse> ResponseStore::Find(const std::string& tenant,
                                                          const std::string& id) const {
  MutexLock lock(mutex_);
  const auto shelf = shelves_.find(tenant);
  if (shelf == shelves_.end()) return nullptr;
  for (const auto& response : shelf->second.responses) {
    if (response->id == id) return response;
  }
  return nullptr;
}

std::optional<std::string> ResponseStore::FindItem(const std::string& tenant,
                                                   const std::string& id) const {
  MutexLock lock(mutex_);
  const auto shelf = shelves_.find(tenant);
  if (shelf == shelves_.end()) return std::nullopt;
  for (const auto& response : shelf->second.responses) {
    for (const auto& [item_id, item] : response->output) {
      if (item_id == id) return item;
    }
  }
  return std::nullopt;
}

bool ResponseStore::Delete(const std::string& tenant, const std::string& id) {
  MutexLock lock(mutex_);
  const auto shelf = shelves_.find(tenant);
  if (shelf == shelves_.end()) return false;
  auto& responses = shelf->second.responses;
  const auto found = std::find_if(responses.begin(), responses.end(),
                                  [&](const auto& response) { return response->id == id; });
  if (found == responses.end()) return false;
  const size_t bytes = BytesOf(**found);
  shelf->second.bytes -= bytes;
  bytes_ -= bytes;
  responses.erase(found);
  return true;
}

void ResponseStore::DropOldest(Shelf* shelf) {
  const size_t bytes = BytesOf(*shelf->responses.front());
  shelf->bytes -= bytes;
  bytes_ -= bytes;
  shelf->responses.pop_front();
}

}  // namespace edgegate
