// The named tensors of a packed model, as the weight formats read and write them. weights/
// implements both interfaces for bundles.
#pragma once

#include <cstdint>
#include <string>

namespace edgegate {

// Reads. Owned by one thread.
class TensorReader {
 public:
  virtual ~TensorReader() = default;

  virtual bool Has(const std::string& name) const = 0;

  // The tensor's bytes, 64-byte aligned; they live as long as the model. Null if there is no tensor
  // of this name with `bytes` bytes: the reader keeps the first such error.
  virtual const void* Read(const std::string& name, int64_t bytes) = 0;

  template <typename T>
  const T* ReadArray(const std::string& name, int64_t count) {
    return static_cast<const T*>(Read(name, count * static_cast<int64_t>(sizeof(T))));
  }
};

// Writes. The writer keeps the first error. Owned by one thread, except for WriteAt().
class TensorWriter {
 public:
  virtual ~TensorWriter() = default;

  // Makes room for a tensor and returns its offset.
  virtual uint64_t Reserve(const std::string& name, uint64_t bytes) = 0;

  // Writes a part of a reserved tensor. Any thread, several at once.
  virtual void WriteAt(uint64_t offset, const void* data, size_t bytes) = 0;

  // Writes a tensor at once.
  void Write(const std::string& name, const void* data, size_t bytes) {
    WriteAt(Reserve(name, bytes), data, bytes);
  }
};

}  // namespace edgegate
