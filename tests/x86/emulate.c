// A library that is preloaded into a program that uses AVX-VNNI or AMX, on a processor that has
// AVX2 and neither of them. Such a processor raises SIGILL for their instructions. The handler
// computes the result, changes the saved registers or the memory, and continues after the
// instruction. It supports what edgegate uses (engine/ops/isa/vnni-inl.h,
// ops/linear/int4/amx_kernel-inl.h): VEX encoding; vpdpbusd and vpdpwssd with registers; ldtilecfg,
// tilerelease, tilezero, tileloadd, tilestored and tdpbsud. Another instruction ends the program by
// SIGILL. The program must be built with EDGEGATE_EMULATED (scripts/test-processors).
//
// Encoding and operation: Intel SDM volume 2. Layout of the saved registers: Linux,
// asm/sigcontext.h, and the standard format of XSAVE (Intel SDM volume 1, 13.4).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum {
  kXstateMagic = 0x46505853,  // FP_XSTATE_MAGIC1: the state has an XSAVE area
  kUpperHalves = 576,         // offset of the upper halves of the YMM registers
  kLowerHalves = 160,         // offset of the XMM registers
  kSoftwareBytes = 464,       // offset of struct _fpx_sw_bytes, whose first member is the magic
  kHeader = 512,              // offset of the XSAVE header, whose first member is xstate_bv
  kAvxState = 1 << 2,
  kTiles = 8,
  kTileRows = 16,
  kTileBytes = 64,  // of a row
};

enum Prefix { kNone = 0, k66 = 1, kF3 = 2, kF2 = 3 };

// The fields of an instruction of the map 0F38 with a VEX prefix of three bytes.
struct Instruction {
  enum Prefix prefix;
  int opcode, is_256, reg, rm, vvvv;
  int is_memory;
  uint64_t address, stride;  // of a memory operand: base plus displacement, and the scaled index
  int length;                // bytes
};

// The tiles of a thread, and their configuration.
static __thread struct {
  int is_configured;
  uint8_t rows[kTiles];
  uint16_t row_bytes[kTiles];
  uint8_t tile[kTiles][kTileRows][kTileBytes];
} tiles;

static uint64_t Register(const ucontext_t* saved, int i) {
  static const int kOrder[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                 REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
  return (uint64_t)saved->uc_mcontext.gregs[kOrder[i]];
}

// Reads the memory operand, whose ModRM byte is code[4]. Returns 0 for an address relative to RIP,
// or without a base.
static int DecodeMemory(const ucontext_t* saved, const uint8_t* code, struct Instruction* at) {
  const int mod = code[4] >> 6, index_extension = code[1] & 0x40 ? 0 : 8,
            base_extension = code[1] & 0x20 ? 0 : 8;
  const uint8_t* next = code + 5;
  int base = code[4] & 7;
  at->stride = 0;
  if (base == 4) {
    const uint8_t sib = *next++;
    const int index = (sib >> 3 & 7) + index_extension;
    base = sib & 7;
    if (index != 4) at->stride = Register(saved, index) << (sib >> 6);
  }
  if (mod == 0 && base == 5) return 0;
  at->address = Register(saved, base + base_extension);
  if (mod == 1) at->address += (uint64_t)(int64_t)(int8_t)*next++;
  if (mod == 2) {
    int32_t displacement;
    memcpy(&displacement, next, 4);
    at->address += (uint64_t)(int64_t)displacement;
    next += 4;
  }
  at->is_memory = 1;
  at->length = (int)(next - code);
  return 1;
}

// Returns 0 if the instruction has another form.
static int Decode(const ucontext_t* saved, struct Instruction* at) {
  const uint8_t* code = (const uint8_t*)saved->uc_mcontext.gregs[REG_RIP];
  if (code[0] != 0xc4 || (code[1] & 0x1f) != 2 || (code[2] & 0x80) != 0) return 0;
  at->prefix = (enum Prefix)(code[2] & 3);
  at->is_256 = code[2] >> 2 & 1;
  at->vvvv = ~(code[2] >> 3) & 15;
  at->opcode = code[3];
  at->reg = (code[4] >> 3 & 7) | (code[1] & 0x80 ? 0 : 8);
  at->rm = (code[4] & 7) | (code[1] & 0x20 ? 0 : 8);
  at->is_memory = 0;
  at->length = 5;
  return code[4] >> 6 == 3 || DecodeMemory(saved, code, at);
}

static void Read(const uint8_t* state, int i, void* value) {
  memcpy(value, state + kLowerHalves + 16 * i, 16);
  memcpy((uint8_t*)value + 16, state + kUpperHalves + 16 * i, 16);
}

static void Write(uint8_t* state, int i, const void* value) {
  memcpy(state + kLowerHalves + 16 * i, value, 16);
  memcpy(state + kUpperHalves + 16 * i, (const uint8_t*)value + 16, 16);
}

// Computes vpdpbusd or vpdpwssd. Returns 0 for another instruction.
static int ComputeVnni(uint8_t* state, const struct Instruction* at) {
  uint32_t sums[8], magic;
  uint64_t in_use;
  if (at->prefix != k66 || !at->is_256 || at->is_memory) return 0;
  if (at->opcode != 0x50 && at->opcode != 0x52) return 0;
  memcpy(&magic, state + kSoftwareBytes, sizeof magic);
  if (magic != kXstateMagic) return 0;
  memcpy(&in_use, state + kHeader, sizeof in_use);
  if ((in_use & kAvxState) == 0) {  // all upper halves are zero
    memset(state + kUpperHalves, 0, 16 * 16);
    in_use |= kAvxState;
    memcpy(state + kHeader, &in_use, sizeof in_use);
  }
  Read(state, at->reg, sums);
  if (at->opcode == 0x50) {
    uint8_t left[32];
    int8_t right[32];
    Read(state, at->vvvv, left);
    Read(state, at->rm, right);
    for (int i = 0; i < 32; ++i) sums[i / 4] += (uint32_t)(left[i] * right[i]);
  } else {
    int16_t left[16], right[16];
    Read(state, at->vvvv, left);
    Read(state, at->rm, right);
    for (int i = 0; i < 16; ++i) sums[i / 2] += (uint32_t)(left[i] * right[i]);
  }
  Write(state, at->reg, sums);
  return 1;
}

static int Configure(const uint8_t* config) {
  if (config[0] != 1) return 0;
  memset(&tiles, 0, sizeof tiles);
  tiles.is_configured = 1;
  for (int i = 0; i < kTiles; ++i) {
    memcpy(&tiles.row_bytes[i], config + 16 + 2 * i, 2);
    tiles.rows[i] = config[48 + i];
    if (tiles.rows[i] > kTileRows || tiles.row_bytes[i] > kTileBytes) return 0;
  }
  return 1;
}

// tileloadd and tilestored.
static int Move(const struct Instruction* at, int is_load) {
  const int rows = tiles.rows[at->reg], bytes = tiles.row_bytes[at->reg];
  if (rows == 0 || bytes == 0) return 0;
  if (is_load) memset(tiles.tile[at->reg], 0, sizeof tiles.tile[0]);
  for (int r = 0; r < rows; ++r) {
    uint8_t* memory = (uint8_t*)(at->address + (uint64_t)r * at->stride);
    uint8_t* row = tiles.tile[at->reg][r];
    memcpy(is_load ? row : memory, is_load ? memory : row, (size_t)bytes);
  }
  return 1;
}

// tdpbsud: sums (reg) plus signed bytes (rm) times unsigned bytes (vvvv).
static int MultiplyTiles(const struct Instruction* at) {
  const int m = tiles.rows[at->reg], n = tiles.row_bytes[at->reg] / 4,
            k = tiles.row_bytes[at->rm] / 4;
  if (m == 0 || n == 0 || k == 0) return 0;
  if (tiles.rows[at->rm] != m || tiles.rows[at->vvvv] != k) return 0;
  if (tiles.row_bytes[at->vvvv] != 4 * n) return 0;
  for (int i = 0; i < m; ++i) {
    uint32_t sums[kTileBytes / 4];
    memcpy(sums, tiles.tile[at->reg][i], kTileBytes);
    for (int j = 0; j < 4 * k; ++j) {
      const int left = (int8_t)tiles.tile[at->rm][i][j];
      for (int c = 0; c < n; ++c) {
        sums[c] += (uint32_t)(left * tiles.tile[at->vvvv][j / 4][4 * c + j % 4]);
      }
    }
    memcpy(tiles.tile[at->reg][i], sums, kTileBytes);
  }
  return 1;
}

// Computes an instruction of AMX. Returns 0 for another instruction, or if it raises an exception.
static int ComputeAmx(const struct Instruction* at) {
  if (at->is_256) return 0;
  if (at->opcode == 0x49 && at->prefix == kNone) {
    if (at->is_memory) return Configure((const uint8_t*)at->address);
    memset(&tiles, 0, sizeof tiles);  // tilerelease
    return 1;
  }
  if (!tiles.is_configured || at->reg >= kTiles ) return 0;
  if (at->opcode == 0x4b && at->is_memory && (at->prefix == kF2 || at->prefix == kF3)) {
    return Move(at, at->prefix == kF2);
  }
  if (at->is_memory || at->rm >= kTiles || at->vvvv >= kTiles) return 0;
  if (at->opcode == 0x49 && at->prefix == kF2) {  // tilezero
    memset(tiles.tile[at->reg], 0, sizeof tiles.tile[0]);
    return 1;
  }
  return at->opcode == 0x5e && at->prefix == kF3 && MultiplyTiles(at);
}

static void Handle(int signal_number, siginfo_t* info, void* context) {
  ucontext_t* const saved = context;
  uint8_t* const state = (uint8_t*)saved->uc_mcontext.fpregs;
  struct Instruction at = {0};
  int count = 0;
  (void)info;
  // A signal takes much longer than an instruction, so the next ones are computed too.
  while (Decode(saved, &at) && (ComputeVnni(state, &at) || ComputeAmx(&at))) {
    saved->uc_mcontext.gregs[REG_RIP] += at.length;
    ++count;
  }
  if (count == 0) signal(signal_number, SIG_DFL);
}

typedef int Sigaction(int, const struct sigaction*, struct sigaction*);

// The program's own handlers of SIGILL, such as doctest's, are not installed.
int sigaction(int signal_number, const struct sigaction* action, struct sigaction* old) {
  Sigaction* const next = (Sigaction*)dlsym(RTLD_NEXT, "sigaction");
  const int is_ours = signal_number == SIGILL && action != NULL && action->sa_sigaction != Handle;
  return next(signal_number, is_ours ? NULL : action, old);
}

__attribute__((constructor)) static void Install(void) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
  action.sa_sigaction = Handle;
  if (sigaction(SIGILL, &action, NULL) != 0) abort();
}
