// oneDNN's u8 x s8 -> s32 matmul on our packed weights, without a reorder. Only this header's .cc
// knows oneDNN's API, which differs between its versions 2 and 3.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/ops/int8_kernel.h"

namespace edgegate {

// Owned by one thread. Its threads are the caller's OpenMP team.
class OneDnnInt8 {
 public:
  // Null where oneDNN has no VNNI or AMX kernel for our layout on this machine (or none is left
  // under the cap of SetIsaCap).
  static std::unique_ptr<OneDnnInt8> Make();
  ~OneDnnInt8();

  // out[m][columns] = rows [0, m) times `columns` (a multiple of 64) columns of packed weights that
  // start at `packed`; k_padded is rows.stride. Exact. False, with nothing done, when oneDNN has
  // no fast kernel for this shape. Primitives are kept for each shape that was seen.
  bool Run(const Int8Rows& rows, int m, const int8_t* packed, int columns, int32_t* out);

  const std::string& name() const { return name_; }

 private:
  struct Impl;
  explicit OneDnnInt8(std::unique_ptr<Impl> impl, std::string name);
  std::unique_ptr<Impl> impl_;
  std::string name_;
};

}  // namespace edgegate
