// Tests the tables of kernels as a whole: their rows, and the row that each level selects.

#include "engine/ops/isa/kernel_table.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "engine/ops/attention/attention.h"
#include "engine/ops/attention/int8_attention.h"
#include "engine/ops/isa/isa_cap.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int8/kernel.h"

namespace edgegate {
namespace {

template <typename Kernel>
void CheckRows(std::span<const Kernel> kernels) {
  std::set<std::string> names;
  for (const Kernel& kernel : kernels) {
    CAPTURE(kernel.target.name);
    CHECK(names.insert(kernel.target.name).second);
    // At least one level must have all features of the kernel. Otherwise the kernel would never be
    // selected.
    bool reachable = false;
    for (const IsaLevel& level : IsaLevels()) {
      reachable |= (level.features | level.optional).HasAll(kernel.target.needs);
    }
    CHECK(reachable);
  }
}

TEST_CASE("the rows of a table have unique names, and some level selects each of them") {
  CheckRows(Int8Kernels());
  CheckRows(Int4Kernels());
  CheckRows(AttentionKernels());
  CheckRows(Int8AttentionKernels());
}

TEST_CASE("at the scalar level each operation has a kernel, except attention in INT8") {
  REQUIRE(SetIsaCap("scalar").ok());
  CHECK(std::string(SelectInt8Kernel().target.name) == "scalar");
  CHECK(std::string(SelectInt4Kernel().target.name) == "scalar");
  CHECK(std::string(SelectAttentionKernel().target.name) == "scalar");
  CHECK(SelectInt8AttentionKernel() == nullptr);
  (void)SetIsaCap("auto");
}

TEST_CASE("a selected kernel needs only features that the level has") {
  for (const IsaLevel& level : IsaLevels()) {
    (void)SetIsaCap(level.name);
    const CpuFeatures features = CurrentIsa().features;
    CHECK(features.HasAll(SelectInt8Kernel().target.needs));
    CHECK(features.HasAll(SelectInt4Kernel().target.needs));
    CHECK(features.HasAll(SelectAttentionKernel().target.needs));
  }
  (void)SetIsaCap("auto");
}

}  // namespace
}  // namespace edgegate
