#!/usr/bin/env python3
"""Counts the instructions of the inner loops of ARM's linear kernels for each multiply-add, as a table.

usage: tests/arm64/count_loops.py build/arm64

A kernel has a function for each number of rows. Its inner loop is the one with the most products. The loop of the first
rows of a block, which also prefetches the block, is a second one.
"""

import pathlib
import re
import subprocess
import sys

# Multiply-adds of an instruction.
PRODUCTS = {"sdot": 16, "usdot": 16, "smmla": 32, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}
FORMATS = ("int8", "int4")
KERNELS = ("neon", "dotprod", "i8mm")


def functions(path):
    """Yields each function's name and its instructions, (address, mnemonic, operands)."""
    command = ["aarch64-linux-gnu-objdump", "-d", "-C", "--no-show-raw-insn", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for part in re.split(r"\n(?=[0-9a-f]{16} <)", text):
        if head := re.match(r"\s*[0-9a-f]{16} <(.*)>:", part):
            lines = re.findall(r"^ +([0-9a-f]+):\t(\S+)[ \t]*(.*)$", part, re.MULTILINE)
            yield head.group(1), [(int(address, 16), *rest) for address, *rest in lines]


def inner_loops(code):
    """Returns the instructions of each loop that contains no other loop."""
    index = {address: i for i, (address, *_) in enumerate(code)}
    loops = []
    for i, (_, mnemonic, operands) in enumerate(code):
        target = re.search(r"([0-9a-f]+) <", operands)
        if re.match(r"(b|b\..*|cbn?z|tbn?z)$", mnemonic) and target:
            start = index.get(int(target.group(1), 16))
            if start is not None and start < i:
                loops.append((start, i))
    return [
        [mnemonic for _, mnemonic, _ in code[start : end + 1]]
        for start, end in loops
        if not any((a, b) != (start, end) and start <= a and b <= end for a, b in loops)
    ]


def counts(path):
    """Yields a function's arguments of the template, whether its loop prefetches, and the instructions for each product."""
    for name, code in functions(path):
        found = re.search(r"::(?:Rows|Groups)<([^>]*)>", name)
        for loop in inner_loops(code) if found else []:
            products = sum(PRODUCTS.get(mnemonic, 0) for mnemonic in loop)
            if products >= 64:
                yield found.group(1), "prfm" in loop, len(loop) / products


def main():
    folder = pathlib.Path(sys.argv[1]) / "engine/ops/linear/CMakeFiles/eg_ops_linear.dir"
    for form in FORMATS:
        for kernel in KERNELS:
            path = folder / form / f"kernel_{kernel}.cc.o"
            for arguments, prefetches, each in sorted(set(counts(str(path)))):
                print(f"{form} {kernel} <{arguments}>{' with prefetches' * prefetches}: {each:.3f}")


if __name__ == "__main__":
    main()
