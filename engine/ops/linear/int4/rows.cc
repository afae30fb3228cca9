#include "engine/ops/linear/int4/rows.h"

#include "engine/base/ceil_div.h"
#include "engine/base/thread_pool.h"
#include "engine/ops/linear/int4/weights.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/linear/int4/rows.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::CappedTag<float, 16>;
using VF = hn::Vec<F32>;

// The result does not depend on the number of lanes, because the arithmetic of an element, the
// maximum and the sum of integers do not.
void QuantizeGroupsImpl(const float* x, int columns, int group, int8_t* out,
                        Int4Rows::Terms* terms) {
  const F32 f;
  const hn::RebindToSigned<F32> i32;
  const hn::Rebind<int8_t, F32> s8;
  const int lanes = static_cast<int>(hn::Lanes(f));
  HWY_ALIGN float last[kInt4WideGroup];
  for (int c = 0; c < columns; c += group, out += group, ++terms) {
    const float* from = x + c;
    if (columns - c < group) {
      for (int i = 0; i < group; ++i) last[i] = i < columns - c ? from[i] : 0.0f;
      from = last;
    }
    VF most = hn::Zero(f);
    for (int i = 0; i < group; i += lanes) {
      most = hn::Max(most, hn::Abs(hn::LoadU(f, from + i)));
    }
    const float largest = hn::GetLane(hn::MaxOfLanes(f, most));
    // False if all values are zero, too small to divide by, or not finite. The sampler reports
    // values that are not finite.
    const bool usual = largest > 1e-33f && largest < 1e35f;
    const VF inverse = hn::Set(f, usual ? 127.0f / largest : 0.0f);
    auto sum = hn::Zero(i32);
    for (int i = 0; i < group; i += lanes) {
      VF value = hn::Round(hn::Mul(hn::LoadU(f, from + i), inverse));
      value = hn::Max(hn::Min(value, hn::Set(f, 127.0f)), hn::Set(f, -127.0f));
      const auto whole = hn::ConvertTo(i32, value);
      hn::StoreU(hn::DemoteTo(s8, whole), s8, out + i);
      sum = hn::Add(sum, whole);
    }
    terms->scale = usual ? largest / 127.0f : 1.0f;
    terms->sum = terms->scale * static_cast<float>(hn::GetLane(hn::SumOfLanes(i32, sum)));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {

HWY_EXPORT(QuantizeGroupsImpl);

void QuantizeGroups(const float* x, int columns, int group, int8_t* out, Int4Rows::Terms* terms) {
  HWY_DYNAMIC_DISPATCH(QuantizeGroupsImpl)(x, columns, group, out, terms);
}

GroupedRows::GroupedRows(int max_rows, int max_columns)
    : s8_(size_t{1} * max_rows * (max_columns + kInt4WideGroup)),
      terms_(size_t{1} * max_rows * Int4Groups(max_columns)),
      normalized_(size_t{1} * max_rows * max_columns) {}

void GroupedRows::Quantize(const float* x, int64_t stride, int rows, int columns, int group,
                           const RowNorm& norm) {
  rows_ = rows;
  const int groups = CeilDiv(columns, group);
  view_ = {s8_.data(), terms_.data(), size_t{1} * groups * group, group};
  ParallelFor(rows, [&](int row) {
    float* normalized = normalized_.data() + int64_t{row} * columns;
    QuantizeGroups(norm.Apply(x + row * stride, columns, normalized), columns, group,
                   s8_.data() + row * view_.stride, terms_.data() + int64_t{row} * groups);
  });
}

}  // namespace edgegate
#endif
