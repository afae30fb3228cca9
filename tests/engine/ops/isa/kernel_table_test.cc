// Tests the tables of kernels as a whole: their rows, and the row that each level selects.

#include "engine/ops/isa/kernel_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "engine/ops/attention/attention.h"
#include "engine/ops/attention/int8_attention.h"
#include "engine/ops/isa/isa_cap.h"
#include "engine/ops/linear/int4/kernel.h"
#include "engine/ops/linear/int8/kernel.h"

namespace edgegate {
namespace {

// True if a processor with these features selects the row.
template <typename Kernel>
bool Selects(CpuFeatures features, std::span<const Kernel> kernels, const Kernel& row) {
  const auto first = std::find_if(kernels.begin(), kernels.end(), [&](const Kernel& kernel) {
    return features.HasAll(kernel.target.needs);
  });
  return first != kernels.end() && &*first == &row;
}

template <typename Kernel>
void CheckRows(std::span<const Kernel> kernels) {
  std::set<std::string> names;
  for (const Kernel& kernel : kernels) {
    CAPTURE(std::string(kernel.target.name));
    CHECK(names.insert(kernel.target.name).second);
    // Some level must select the kernel. Otherwise it never runs, and no test of the operation
    // covers it.
    const bool selected =
        std::any_of(IsaLevels().begin(), IsaLevels().end(), [&](const IsaLevel& level) {
          return Selects(level.features, kernels, kernel) ||
                 Selects(level.features | level.optional, kernels, kernel);
        });
    CHECK(selected);
  }
}

TEST_CASE("the rows of a table have names of their own, and levels that select them") {
  CheckRows(Int8Kernels());
  CheckRows(Int4Kernels());
  CheckRows(AttentionKernels());
  CheckRows(Int8AttentionKernels());
}

TEST_CASE("at the scalar level each operation has a kernel") {
  REQUIRE(SetIsaCap("scalar").ok());
  CHECK(std::string(SelectInt8Kernel().target.name) == "scalar");
  CHECK(std::string(SelectInt4Kernel().target.name) == "scalar");
  CHECK(std::string(SelectAttentionKernel().target.name) == "scalar");
  CHECK(std::string(SelectInt8AttentionKernel().target.name) == "scalar");
  (void)SetIsaCap("auto");
}

TEST_CASE("a selected kernel needs only features that the level has") {
  for (const IsaLevel& level : IsaLevels()) {
    (void)SetIsaCap(level.name);
    const CpuFeatures features = CurrentIsa().features;
    CHECK(features.HasAll(SelectInt8Kernel().target.needs));
    CHECK(features.HasAll(SelectInt4Kernel().target.needs));
    CHECK(features.HasAll(SelectAttentionKernel().target.needs));
    CHECK(features.HasAll(SelectInt8AttentionKernel().target.needs));
  }
  (void)SetIsaCap("auto");
}

}  // namespace
}  // namespace edgegate
