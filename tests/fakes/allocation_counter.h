// Counts the allocations of a test program. A program that links allocation_counter.cc gets its
// operators new and delete.
#pragma once

namespace edgegate {

// Counts the allocations of all threads since its construction. Only one object may exist at a
// time.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  int allocations() const;
};

// Allocations during its lifetime are not counted.
class UncountedScope {
 public:
  UncountedScope();
  ~UncountedScope();

 private:
  const bool was_counting_;
};

}  // namespace edgegate
