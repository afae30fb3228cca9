// The named tensors of a packed model, as the weight formats read and write them. Bundles implement
// both interfaces (engine/weights/).
#pragma once

#include <cstdint>
#include <string>

namespace edgegate {

// Reads tensors. Owned by one thread.
class TensorReader {
 public:
  virtual ~TensorReader() = default;

  // True if there is a tensor of this name.
  virtual bool Has(const std::string& name) const = 0;

  // Returns the tensor's bytes, 64-byte aligned, valid as long as the model. Null if there is no
  // tensor of this name with `bytes` bytes. The reader stores the first such error.
  virtual const void* Read(const std::string& name, int64_t bytes) = 0;

  // Returns the tensor as `count` elements of T, as Read() does.
  template <typename T>
  const T* ReadArray(const std::string& name, int64_t count) {
    return static_cast<const T*>(Read(name, count * static_cast<int64_t>(sizeof(T))));
  }
};

// Writes tensors. The writer stores the first error. Owned by one thread, except for WriteAt().
class TensorWriter {
 public:
  virtual ~TensorWriter() = default;

  // Reserves space for a tensor and returns its offset.
  virtual uint64_t Reserve(const std::string& name, uint64_t bytes) = 0;

  // Writes a part of a reserved tensor. Several threads may call it at once.
  virtual void WriteAt(uint64_t offset, const void* data, size_t bytes) = 0;

  // Writes a whole tensor.
  void Write(const std::string& name, const void* data, size_t bytes) {
    WriteAt(Reserve(name, bytes), data, bytes);
  }
};

}  // namespace edgegate
