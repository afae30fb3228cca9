// Guards mappings of files that shrink or cannot be read. Reading such a page raises SIGBUS. The
// handler replaces the page by zeros, and records which mapping was damaged. So the process
// continues.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/status.h"

namespace edgegate {

// Guards one address range while it lives. The first guard installs the SIGBUS handler, which stays
// installed. SIGBUS at any other address gets the action that was set before. Movable. Const
// methods may be called by any thread.
class MappingGuard {
 public:
  static constexpr int kMaxGuards = 256;

  // Guards [begin, begin + size). `begin` must be page-aligned. kResourceExhausted: kMaxGuards
  // ranges are guarded already. Thread-safe.
  static Result<MappingGuard> Make(const uint8_t* begin, size_t size);
  MappingGuard(MappingGuard&& other) noexcept;
  MappingGuard& operator=(MappingGuard&&) = delete;
  ~MappingGuard();

  // True if a page of the range was replaced by zeros.
  bool damaged() const;

 private:
  explicit MappingGuard(int slot) : slot_(slot) {}
  int slot_;
};

}  // namespace edgegate
