#include "engine/ops/linear/int8/pack.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/ops/linear/int8/pack.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::CappedTag<float, 16>;
using I32 = hn::RebindToSigned<F32>;
using I8 = hn::Rebind<int8_t, F32>;

constexpr int kColumns = 64;  // columns at a time; divides the padded number of columns

float LargestOf(const float* row, int k) {
  const F32 d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  auto most = hn::Zero(d);
  int i = 0;
  for (; i + lanes <= k; i += lanes) most = hn::Max(most, hn::Abs(hn::LoadU(d, row + i)));
  float largest = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < k; ++i) largest = std::max(largest, std::fabs(row[i]));
  return largest;
}

// Rounds kColumns values and returns their sum.
int32_t RoundColumns(const float* from, float inverse, int8_t* to) {
  const F32 d;
  const I32 i32;
  auto sums = hn::Zero(i32);
  for (int i = 0; i < kColumns; i += static_cast<int>(hn::Lanes(d))) {
    const auto nearest = hn::NearestInt(hn::Mul(hn::LoadU(d, from + i), hn::Set(d, inverse)));
    const auto value = hn::Min(hn::Max(nearest, hn::Set(i32, -127)), hn::Set(i32, 127));
    hn::StoreU(hn::DemoteTo(I8(), value), I8(), to + i);
    sums = hn::Add(sums, value);
  }
  return hn::GetLane(hn::SumOfLanes(i32, sums));
}

void PackImpl(const float* rows, int count, int k, int8_t* packed, float* scale,
              int32_t* column_sum) {
  float inverse[64];
  for (int n = 0; n < 64; ++n) {
    const float largest = n < count ? LargestOf(rows + int64_t{n} * k, k) : 0.0f;
    // The reciprocal of a smaller maximum is not finite. The products of such a row are zero in
    // float.
    const bool zero = largest < 1e-35f;
    scale[n] = zero ? 0.0f : largest / 127.0f;
    inverse[n] = zero ? 0.0f : 127.0f / largest;
    column_sum[n] = 0;
  }
  for (int first = 0; first < Int8Padded(k); first += kColumns) {
    HWY_ALIGN int8_t values[64][kColumns] = {};
    for (int n = 0; n < std::min(64, count); ++n) {
      const float* from = rows + int64_t{n} * k + first;
      float last[kColumns] = {};
      if (first + kColumns > k) {
        std::copy_n(from, k - first, last);
        from = last;
      }
      column_sum[n] += RoundColumns(from, inverse[n], values[n]);
    }
    int8_t* to = packed + int64_t{first} * 64;
    for (int n = 0; n < 64; ++n) {
      for (int i = 0; i < kColumns; i += 4) std::memcpy(to + (i * 16 + n) * 4, &values[n][i], 4);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {

HWY_EXPORT(PackImpl);

void PackInt8Block(const float* rows, int count, int k, int8_t* packed, float* scale,
                   int32_t* column_sum) {
  HWY_DYNAMIC_DISPATCH(PackImpl)(rows, count, k, packed, scale, column_sum);
}

}  // namespace edgegate
#endif
