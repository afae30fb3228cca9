// The tensors of a packed model, in memory.
#pragma once

#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "engine/base/aligned_buffer.h"
#include "engine/ops/linear/tensors.h"

namespace edgegate {

// Writes tensors and reads them back. Stores the first name that was not found or had another
// size.
class MemoryTensors : public TensorReader, public TensorWriter {
 public:
  bool Has(const std::string& name) const override { return tensors_.contains(name); }
  const void* Read(const std::string& name, int64_t bytes) override {
    const auto found = tensors_.find(name);
    if (found != tensors_.end() && static_cast<int64_t>(found->second->size()) == bytes) {
      return found->second->data();
    }
    if (missing.empty()) missing = name;
    return nullptr;
  }

  uint64_t Reserve(const std::string& name, uint64_t bytes) override {
    tensors_[name] = &memory_.emplace_back(static_cast<size_t>(bytes));
    at_[end_] = tensors_[name];
    order.push_back(name);
    const uint64_t offset = end_;
    end_ += bytes;
    return offset;
  }
  void WriteAt(uint64_t offset, const void* data, size_t bytes) override {
    const auto tensor = std::prev(at_.upper_bound(offset));
    std::memcpy(tensor->second->data() + (offset - tensor->first), data, bytes);
  }

  void Erase(const std::string& name) { tensors_.erase(name); }

  std::string missing;            // first tensor that was not found
  std::deque<std::string> order;  // names in the order of Reserve()

 private:
  std::deque<AlignedBuffer<uint8_t>> memory_;
  std::map<std::string, AlignedBuffer<uint8_t>*> tensors_;
  std::map<uint64_t, AlignedBuffer<uint8_t>*> at_;
  uint64_t end_ = 0;
};

}  // namespace edgegate
