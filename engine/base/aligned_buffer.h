// Zeroed memory for tensors, aligned for any vector load. Large buffers are on huge pages: a
// sequential read of weights on 4 KiB pages loses a fifth to the TLB.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <span>

namespace edgegate {

// Owns `size` elements of a trivial T. Reset() and Grow() drop the contents.
template <typename T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) { Reset(size); }

  // Replaces the contents by `size` zeroed elements. Throws std::bad_alloc as new does.
  void Reset(size_t size) {
    constexpr size_t kHugePage = size_t{2} << 20;
    size_t bytes = size * sizeof(T);
    size_t alignment = bytes >= kHugePage ? kHugePage : 64;
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    data_.reset(static_cast<T*>(rounded ? std::aligned_alloc(alignment, rounded) : nullptr));
    if (rounded && !data_) throw std::bad_alloc();
    if (bytes >= kHugePage) madvise(data_.get(), rounded, MADV_HUGEPAGE);
    if (rounded) std::memset(data_.get(), 0, rounded);
    size_ = size;
  }

  // Calls Reset() if there are fewer elements.
  void Grow(size_t size) {
    if (size_ < size) Reset(size);
  }

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_.get()[i]; }
  const T& operator[](size_t i) const { return data_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

}  // namespace edgegate
