// Counts what a test program allocates: whoever links allocation_counter.cc has its operators new
// and delete.
#pragma once

namespace edgegate {

// Counts, in all threads, from its making on. One at a time.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  int allocations() const;
};

// What happens while it lives is not counted.
class UncountedScope {
 public:
  UncountedScope();
  ~UncountedScope();

 private:
  const bool was_counting_;
};

}  // namespace edgegate
