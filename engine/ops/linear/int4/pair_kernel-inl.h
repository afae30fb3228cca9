// The 4-bit kernel for instruction sets without dot products of bytes. kernel_avx2.cc,
// kernel_sse4.cc and kernel_neon.cc include it. Before, they define EG_ISA, the attributes of a
// function for the instruction set, and these operations on vectors of kLanes columns:
//   Bytes, Pairs, Int, Float   the types of levels and activations, of s16 sums of products, of s32
//                   and of floats
//   AddProducts(levels, activations, sums)   adds the products of u8 and s8 bytes to s16 sums, at
//                   most two to each sum. The compiler must not separate a product from its sum:
//                   then it holds one product at a time, and all sums stay in registers.
//   WidenPairs(sums)   the s32 sum of each column
//   MulAdd(a, b, c) a * b + c, rounded once
//   and ZeroPairs, Load, LowHalves, HighHalves, Broadcast, AddInt, ToFloat, LoadHalves, LoadFloat,
//   StoreFloat, SetFloat and Mul.
// The file has no include guard, because each of its users is a source file.

// Pairs of products are summed in s16, which holds those of 32 levels.
static_assert(kInt4Group / 4 * 2 * 15 * 127 <= 32767);

// Computes the sums of pairs of 32 levels: kRows rows, [kRows][stride] at `x`, times kVecs vectors
// of columns at `levels`. The loop over quads is not unrolled, because the compiler would then keep
// sums in memory.
template <int kRows, int kVecs>
EG_ISA void Multiply(const int8_t* x, size_t stride, const uint8_t* levels,
                     Pairs (&sums)[kRows][kVecs]) {
#pragma GCC unroll 16
  for (int i = 0; i < kRows * kVecs; ++i) sums[i / kVecs][i % kVecs] = ZeroPairs();
#pragma GCC unroll 1
  for (int quad = 0; quad < kInt4Group / 8; ++quad, x += 4, levels += 4 * kInt8Block) {
    Bytes w[kVecs];
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) w[v] = LowHalves(Load(levels + 4 * kLanes * v));
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Bytes activations = Broadcast(x + r * stride);
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) AddProducts(w[v], activations, &sums[r][v]);
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVecs; ++v) w[v] = HighHalves(Load(levels + 4 * kLanes * v));
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Bytes activations = Broadcast(x + r * stride + kInt4Group / 2);
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) AddProducts(w[v], activations, &sums[r][v]);
    }
  }
}

// Computes one group of kRows rows and kVecs vectors of columns, from column `column` on, and adds
// it to `sums` [kRows][64]. A group has kParts parts of 32 levels.
template <int kRows, int kVecs, int kParts>
EG_ISA void AddGroup(const int8_t* x, size_t stride, const Int4Rows::Terms* const* terms, int group,
                     const uint8_t* block, int column, float* sums) {
  Int dots[kRows][kVecs];
#pragma GCC unroll 2
  for (int part = 0; part < kParts; ++part) {
    Pairs pairs[kRows][kVecs];
    Multiply<kRows, kVecs>(x + part * kInt4Group, stride,
                           block + part * kInt4LevelBytes + 4 * column, pairs);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) {
        const Int wide = WidenPairs(pairs[r][v]);
        dots[r][v] = part == 0 ? wide : AddInt(dots[r][v], wide);
      }
    }
  }
  const uint8_t* halves = block + kParts * kInt4LevelBytes + 2 * column;
#pragma GCC unroll 8
  for (int v = 0; v < kVecs; ++v) {
    const Float scale = LoadHalves(halves + 2 * kLanes * v);
    const Float minimum = LoadHalves(halves + 2 * kLanes * v + 2 * kInt8Block);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Int4Rows::Terms of = terms[r][group];
      float* to = sums + r * kInt8Block + column + v * kLanes;
      const Float factor = Mul(scale, SetFloat(of.scale));
      const Float sum = MulAdd(factor, ToFloat(dots[r][v]), LoadFloat(to));
      StoreFloat(to, MulAdd(minimum, SetFloat(of.sum), sum));
    }
  }
}

// Computes all 64 columns for kRows rows. The sums stay in the first-level cache, so that the
// registers can hold the products of many rows. The first rows prefetch each group in parts of at
// most 18 lines, because a processor drops prefetches that it has no room for: Zen 3 can wait for
// 24 lines.
template <int kRows, int kVecs, int kParts>
EG_ISA_NOINLINE void Groups(const Int4Rows& rows, int first, const uint8_t* block, int groups,
                            float* sums) {
  constexpr int kGroup = kParts * kInt4Group, kBytes = Int4GroupBytes(kGroup);
  constexpr int kStep = kLanes * kVecs, kFetched = kBytes / (kInt8Block / kStep);
  const size_t stride = rows.stride;
  const int8_t* x = rows.s8 + first * stride;
  const Int4Rows::Terms* terms[kRows];
  for (int r = 0; r < kRows; ++r) terms[r] = rows.row_terms(first + r);
  std::memset(sums, 0, sizeof(float) * kRows * kInt8Block);
  for (int g = 0; g < groups; ++g, block += kBytes, x += kGroup) {
    const uint8_t* ahead = block + kFetchAhead;
    for (int column = 0; column < kInt8Block; column += kStep) {
      if (first == 0) {
        for (int i = 0; i < kFetched; i += 64) __builtin_prefetch(ahead + i);
        ahead += kFetched;
      }
      AddGroup<kRows, kVecs, kParts>(x, stride, terms, g, block, column, sums);
    }
  }
}

template <int kRows, int kVecs>
void Rows(const Int4Rows& rows, int first, const uint8_t* block, int groups, float* sums) {
  rows.group == kInt4Group ? Groups<kRows, kVecs, 1>(rows, first, block, groups, sums)
                           : Groups<kRows, kVecs, 2>(rows, first, block, groups, sums);
}

// The tiles of 1 to 5 rows. The sizes are chosen so that the sums of pairs fit 16 registers.
constexpr int kHalf = kInt8Block / 2 / kLanes;
constexpr decltype(&Rows<1, 2>) kTiles[] = {Rows<1, kHalf>, Rows<2, 4>, Rows<3, 2>, Rows<4, 2>,
                                            Rows<5, 2>};
