// oneDNN's u8 x s8 -> s32 matmul on our packed weights, without a reorder. oneDNN's API differs
// between its versions 2 and 3. Only onednn.cc depends on it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace edgegate {

#ifdef EDGEGATE_ONEDNN

// The matmuls of oneDNN, one for each shape. Owned by one thread, except for Run().
class OneDnnInt8 {
 public:
  // Returns an object. Null if oneDNN has no VNNI or AMX kernel for our layout on this machine
  // under the cap of SetIsaCap().
  static std::unique_ptr<OneDnnInt8> Make();
  ~OneDnnInt8();

  // The matmul of one shape. It lives as long as this object.
  struct Plan;
  // Returns the plan that multiplies m rows of k bytes by `columns` columns, a multiple of 64. Null
  // if oneDNN has no fast kernel for this shape.
  const Plan* PlanFor(int m, int k, int columns);
  // Returns the number of bytes of working memory that Run() needs.
  static size_t ScratchBytes(const Plan& plan);

  // Computes out[m][columns] = rows[m][k] times the columns of packed weights that start at
  // `packed`, exactly, on the calling thread. Several threads may call it at once, each with its
  // own `scratch`.
  void Run(const Plan& plan, const uint8_t* rows, const int8_t* packed, int32_t* out,
           uint8_t* scratch) const;

  // Returns oneDNN's name of its kernel, for reports.
  const std::string& name() const { return name_; }

 private:
  struct Impl;
  explicit OneDnnInt8(std::unique_ptr<Impl> impl, std::string name);
  std::unique_ptr<Impl> impl_;
  std::string name_;
};

#else

// A program that is built without oneDNN has no object of this class.
class OneDnnInt8 {
 public:
  struct Plan {};
  static std::unique_ptr<OneDnnInt8> Make() { return nullptr; }
  const Plan* PlanFor(int, int, int) { return nullptr; }
  static size_t ScratchBytes(const Plan&) { return 0; }
  void Run(const Plan&, const uint8_t*, const int8_t*, int32_t*, uint8_t*) const {}
  std::string name() const { return ""; }
};

#endif

}  // namespace edgegate
