#!/usr/bin/env python3
"""Counts the instructions of the inner loops of linear kernels for each multiply-add, as a table.

usage: tests/bench/count_loops.py build/release    or build/arm64

A kernel has a function for each number of rows, or one for strips of rows. Its inner loop is the one with the most
products. The loop of the first rows of a block, which also prefetches the block, is a second one.
"""

import pathlib
import re
import subprocess
import sys

# Multiply-adds of an instruction, on x86 for each 128 bits of a vector.
PRODUCTS = {"sdot": 16, "usdot": 16, "smmla": 32, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}
PRODUCTS |= {"vpdpbusd": 16, "pmaddubsw": 16, "vpmaddubsw": 16, "pmaddwd": 8, "vpmaddwd": 8, "vpdpwssd": 8}
FORMATS = ("int8", "int4")
# Endings of the source files: of ARM, then of x86. kernel.cc has the kernels of Highway's targets.
ENDINGS = ("_neon", "_dotprod", "_i8mm", "_sse4", "_avx2", "")


def functions(path):
    """Yields each function's name and its instructions, (address, mnemonic, operands)."""
    objdump = "aarch64-linux-gnu-objdump" if b"\xb7\x00" == path.read_bytes()[18:20] else "objdump"
    command = [objdump, "-d", "-C", "--no-show-raw-insn", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for part in re.split(r"\n(?=[0-9a-f]{16} <)", text):
        if head := re.match(r"\s*[0-9a-f]{16} <(.*)>:", part):
            lines = re.findall(r"^ +([0-9a-f]+):\t(?:\{vex\} )?(\S+)[ \t]*(.*)$", part, re.MULTILINE)
            yield head.group(1), [(int(address, 16), *rest) for address, *rest in lines]


def inner_loops(code):
    """Returns the instructions of each loop that contains no other loop."""
    index = {address: i for i, (address, *_) in enumerate(code)}
    loops = []
    for i, (_, mnemonic, operands) in enumerate(code):
        target = re.search(r"([0-9a-f]+) <", operands)
        if re.match(r"(b|b\..*|cbn?z|tbn?z|j[a-z]+)$", mnemonic) and target:
            start = index.get(int(target.group(1), 16))
            if start is not None and start < i:
                loops.append((start, i))
    return [
        code[start : end + 1]
        for start, end in loops
        if not any((a, b) != (start, end) and start <= a and b <= end for a, b in loops)
    ]


def multiply_adds(loop):
    """Returns the number of multiply-adds. Beside pmaddubsw, pmaddwd only adds its products."""
    names = {mnemonic for _, mnemonic, _ in loop}
    ignored = {"pmaddwd", "vpmaddwd"} if names & {"pmaddubsw", "vpmaddubsw"} else set()
    total = 0
    for _, mnemonic, operands in loop:
        width = 4 if "%zmm" in operands else 2 if "%ymm" in operands else 1
        total += 0 if mnemonic in ignored else width * PRODUCTS.get(mnemonic, 0)
    return total


def counts(path):
    """Yields a function's arguments of the template, whether its loop prefetches, and the instructions for each product."""
    for name, code in functions(path):
        found = re.search(r"(\w+)::(?:\(anonymous namespace\)::)?(?:(?:Rows|Groups)<([^>]*)>|Run\()", name)
        for loop in inner_loops(code) if found else []:
            products = multiply_adds(loop)
            prefetches = any(mnemonic.startswith(("prfm", "prefetch")) for _, mnemonic, _ in loop)
            if products >= 64:
                target = found.group(1) + " " if found.group(1).startswith("N_") else ""
                arguments = f"<{found.group(2)}>" if found.group(2) else "strips"
                yield f"{target}{arguments}".replace("edgegate::", ""), prefetches, len(loop) / products


def main():
    folder = pathlib.Path(sys.argv[1]) / "engine/ops/linear/CMakeFiles/eg_ops_linear.dir"
    for form in FORMATS:
        for ending in ENDINGS:
            for name in ("kernel", "strip_kernel"):
                path = folder / form / f"{name}{ending}.cc.o"
                for arguments, prefetches, each in sorted(set(counts(path))) if path.exists() else []:
                    print(f"{form}{ending} {arguments}{' with prefetches' * prefetches}: {each:.3f}")


if __name__ == "__main__":
    main()
