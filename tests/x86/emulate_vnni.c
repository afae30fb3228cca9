// A library that is preloaded into a program that uses AVX-VNNI, on a processor that has AVX2 but
// no AVX-VNNI. Such a processor raises SIGILL for vpdpbusd and vpdpwssd. The handler computes the
// result, writes it to the saved registers, and continues after the instruction. It supports what
// edgegate uses: VEX encoding and register operands (engine/ops/isa/vnni-inl.h). Another
// instruction ends the program by SIGILL. The program must be built with EDGEGATE_EMULATED_VNNI.
//
// Encoding and operation: Intel Architecture Instruction Set Extensions Programming Reference,
// VPDPBUSD and VPDPWSSD. Layout of the saved registers: Linux, asm/sigcontext.h, and the standard
// format of XSAVE (Intel SDM volume 1, 13.4).
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
  kSoftwareBytes = 464,  // offset of struct _fpx_sw_bytes, whose first member is the magic number
  kHeader = 512,         // offset of the XSAVE header, whose first member is xstate_bv
  kAvxState = 1 << 2,
};

// One instruction. Its operands are numbers of YMM registers.
struct Instruction {
  int sum, left, right;
  int is_words;  // vpdpwssd
};

// Reads an instruction of five bytes. Returns 0 if it is another one.
static int Decode(const uint8_t* code, struct Instruction* instruction) {
  const uint8_t prefix1 = code[1], prefix2 = code[2], opcode = code[3], operands = code[4];
  if (code[0] != 0xc4 || (prefix1 & 0x1f) != 2) return 0;  // VEX, map 0F38
  if ((prefix2 & 0x87) != 0x05) return 0;                  // W0, 256 bits, 66
  if (opcode != 0x50 && opcode != 0x52) return 0;
  if ((operands & 0xc0) != 0xc0) return 0;  // two registers
  instruction->sum = (operands >> 3 & 7) | (prefix1 & 0x80 ? 0 : 8);
  instruction->right = (operands & 7) | (prefix1 & 0x20 ? 0 : 8);
  instruction->left = ~(prefix2 >> 3) & 15;
  instruction->is_words = opcode == 0x52;
  return 1;
}

static void Read(const uint8_t* state, int i, void* value) {
  memcpy(value, state + kLowerHalves + 16 * i, 16);
  memcpy((uint8_t*)value + 16, state + kUpperHalves + 16 * i, 16);
}

static void Write(uint8_t* state, int i, const void* value) {
  memcpy(state + kLowerHalves + 16 * i, value, 16);
  memcpy(state + kUpperHalves + 16 * i, (const uint8_t*)value + 16, 16);
}

static void Compute(uint8_t* state, struct Instruction instruction) {
  uint32_t sums[8];
  Read(state, instruction.sum, sums);
  if (instruction.is_words) {
    int16_t left[16], right[16];
    Read(state, instruction.left, left);
    Read(state, instruction.right, right);
    for (int i = 0; i < 16; ++i) sums[i / 2] += (uint32_t)(left[i] * right[i]);
  } else {
    uint8_t left[32];
    int8_t right[32];
    Read(state, instruction.left, left);
    Read(state, instruction.right, right);
    for (int i = 0; i < 32; ++i) sums[i / 4] += (uint32_t)(left[i] * right[i]);
  }
  Write(state, instruction.sum, sums);
}

static void Handle(int signal_number, siginfo_t* info, void* context) {
  (void)info;
  ucontext_t* const saved = context;
  greg_t* const at = &saved->uc_mcontext.gregs[REG_RIP];
  uint8_t* const state = (uint8_t*)saved->uc_mcontext.fpregs;
  uint32_t magic;
  memcpy(&magic, state + kSoftwareBytes, sizeof magic);
  struct Instruction instruction;
  if (!Decode((const uint8_t*)*at, &instruction) || magic != kXstateMagic) {
    signal(signal_number, SIG_DFL);
    return;
  }
  uint64_t in_use;
  memcpy(&in_use, state + kHeader, sizeof in_use);
  if ((in_use & kAvxState) == 0) {  // all upper halves are zero
    memset(state + kUpperHalves, 0, 16 * 16);
    in_use |= kAvxState;
    memcpy(state + kHeader, &in_use, sizeof in_use);
  }
  do {  // a signal takes much longer than an instruction
    Compute(state, instruction);
    *at += 5;
  } while (Decode((const uint8_t*)*at, &instruction));
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
