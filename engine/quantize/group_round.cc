#include "engine/quantize/group_round.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/quantize/group_round.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace edgegate {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::ScalableTag<float>;
using VF = hn::Vec<F32>;

// Rounds the product and the sum, so that processors without a fused multiply-add give the same
// bits.
HWY_INLINE VF MulThenAdd(VF a, VF b, VF c) { return hn::Add(hn::Mul(a, b), c); }

// The rows of one vector.
struct Lanes {
  VF scale, minimum, inverse;
  VF error, qq, q1, wq, w1;

  HWY_INLINE void Begin(const GroupTrial& t, size_t row) {
    const F32 d;
    scale = hn::Load(d, t.scale + row);
    minimum = hn::Load(d, t.minimum + row);
    const VF one = hn::Set(d, 1.0f);
    inverse = hn::IfThenElseZero(hn::Gt(scale, hn::Zero(d)), hn::Div(one, scale));
    error = qq = q1 = wq = w1 = hn::Zero(d);
  }

  // Rounds column `j`. Returns the error.
  HWY_INLINE VF Round(const GroupError& group, int j, VF carried, size_t row, GroupTrial* t) {
    const F32 d;
    const VF w = hn::Load(d, t->w[j] + row), w_carried = hn::Load(d, t->carried[j] + row);
    const VF cost = hn::Set(d, group.cost[j]), one = hn::Set(d, group.one[j]);
    const VF wanted = hn::Add(w, carried);
    const VF level = MulThenAdd(hn::Sub(wanted, minimum), inverse, hn::Set(d, 0.5f));
    // Adds a half and truncates. If an argument of Min or Max is NaN, x86 returns the second one.
    const VF clamped = hn::Min(hn::Max(level, hn::Set(d, 0.5f)), hn::Set(d, 15.5f));
    const VF q = hn::ConvertTo(d, hn::ConvertTo(hn::RebindToSigned<F32>(), clamped));
    const VF value = MulThenAdd(scale, q, minimum), left = hn::Sub(wanted, value);
    hn::Store(q, d, t->q[j] + row);
    error = MulThenAdd(hn::Mul(cost, left), left, error);
    // Solves left = w - scale * q - minimum * 1, each with its carry, for q.
    const VF q_carried = hn::Mul(hn::Sub(hn::Sub(w_carried, left), hn::Mul(minimum, one)), inverse);
    const VF costly_q = hn::Mul(cost, q_carried), costly_1 = hn::Mul(cost, one);
    qq = MulThenAdd(costly_q, q_carried, qq);
    q1 = MulThenAdd(costly_1, q_carried, q1);
    wq = MulThenAdd(costly_q, w_carried, wq);
    w1 = MulThenAdd(costly_1, w_carried, w1);
    return hn::Sub(w, value);
  }

  HWY_INLINE void End(size_t row, GroupTrial* t) const {
    const F32 d;
    hn::Store(error, d, t->error + row);
    hn::Store(qq, d, t->qq + row);
    hn::Store(q1, d, t->q1 + row);
    hn::Store(wq, d, t->wq + row);
    hn::Store(w1, d, t->w1 + row);
  }
};

// Processes two vectors at a time, so that their latencies overlap.
void Impl(const GroupError& group, GroupTrial* t) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float errors[2][kInt4WideGroup][HWY_MAX_BYTES / sizeof(float)];
  for (size_t row = 0; row < kSearchRows; row += 2 * lanes) {
    Lanes a, b;
    a.Begin(*t, row);
    b.Begin(*t, row + lanes);
    for (int j = 0; j < group.count; ++j) {
      VF a0 = hn::Zero(d), a1 = hn::Zero(d), b0 = hn::Zero(d), b1 = hn::Zero(d);
      int i = 0;
      for (; i + 1 < j; i += 2) {
        const VF first = hn::Set(d, group.carry[j][i]), second = hn::Set(d, group.carry[j][i + 1]);
        a0 = MulThenAdd(hn::Load(d, errors[0][i]), first, a0);
        b0 = MulThenAdd(hn::Load(d, errors[1][i]), first, b0);
        a1 = MulThenAdd(hn::Load(d, errors[0][i + 1]), second, a1);
        b1 = MulThenAdd(hn::Load(d, errors[1][i + 1]), second, b1);
      }
      if (i < j) {
        const VF first = hn::Set(d, group.carry[j][i]);
        a0 = MulThenAdd(hn::Load(d, errors[0][i]), first, a0);
        b0 = MulThenAdd(hn::Load(d, errors[1][i]), first, b0);
      }
      hn::Store(a.Round(group, j, hn::Add(a0, a1), row, t), d, errors[0][j]);
      hn::Store(b.Round(group, j, hn::Add(b0, b1), row + lanes, t), d, errors[1][j]);
    }
    a.End(row, t);
    b.End(row + lanes, t);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace edgegate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace edgegate {

HWY_EXPORT(Impl);

void RoundGroup(const GroupError& group, GroupTrial* trial) {
  HWY_DYNAMIC_DISPATCH(Impl)(group, trial);
}

}  // namespace edgegate
#endif
