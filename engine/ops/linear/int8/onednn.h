// oneDNN's u8 x s8 -> s32 matmul on our packed weights, without a reorder. oneDNN's API differs
// between its versions 2 and 3; only onednn.cc knows it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace edgegate {

// Owned by one thread, except for Run().
class OneDnnInt8 {
 public:
  // Null if oneDNN has no VNNI or AMX kernel for our layout on this machine under the cap of
  // SetIsaCap().
  static std::unique_ptr<OneDnnInt8> Make();
  ~OneDnnInt8();

  // A plan multiplies m rows of k bytes by `columns` (a multiple of 64) columns. Null if oneDNN has
  // no fast kernel for this shape. Plans live as long as this object.
  struct Plan;
  const Plan* PlanFor(int m, int k, int columns);
  // Bytes of working memory that Run() needs.
  static size_t ScratchBytes(const Plan& plan);

  // out[m][columns] = rows[m][k] times the columns of packed weights that start at `packed`. Exact.
  // On the calling thread. Any number of threads may call it at once, each with its own `scratch`.
  void Run(const Plan& plan, const uint8_t* rows, const int8_t* packed, int32_t* out,
           uint8_t* scratch) const;

  const std::string& name() const { return name_; }

 private:
  struct Impl;
  explicit OneDnnInt8(std::unique_ptr<Impl> impl, std::string name);
  std::unique_ptr<Impl> impl_;
  std::string name_;
};

}  // namespace edgegate
