"""Requests to /tokenize and /detokenize with invalid or excessive members."""

from case import EITHER, REFUSED, Case
from generate import array, join, nested, numbers, repeat

MIB = 1 << 20


def tokenize(name, change, **more):
    body = {"model": "smol", **change}
    return Case(name, "tokens", "/tokenize", body=body, **{"names": tuple(change)[:1], **more})


def detokenize(name, change, **more):
    body = {"model": "smol", "tokens": [5], **change}
    return Case(name, "tokens", "/detokenize", body=body, **{"names": tuple(change)[:1], **more})


def content(parts):
    return [{"role": "user", "content": parts}]


CASES = [
    tokenize("1 MB of one letter", {"prompt": repeat("x", MIB)}),
    tokenize("1 MB of words", {"prompt": repeat("a ", MIB // 2)}),
    tokenize("1 MB of blanks, with texts", {"prompt": repeat(" ", MIB), "return_token_strs": True}),
    tokenize("1 MB of control characters, with texts",
             {"prompt": repeat("\x01", MIB), "return_token_strs": True}),
    tokenize("1 MB of combining marks",
             {"content": join("a", repeat("\u0301", MIB // 2 - 8)), "with_pieces": True}),
    tokenize("1 MB of CJK", {"content": repeat("\u4f60", MIB // 3), "with_pieces": True}),
    tokenize("1 MB of special tokens", {"content": repeat("<|im_end|>", MIB // 10)}),
    tokenize("15 MB of words", {"prompt": repeat("a ", 7 * MIB)}, expect=REFUSED),
    tokenize("a message of 15 MB", {"messages": content(repeat("a ", 7 * MIB))}, expect=REFUSED),
    tokenize("60,000 parts", {"messages": content(array({"type": "text", "text": "a"}, 20000))}),
    tokenize("deep variables",
             {"messages": content("a"), "chat_template_kwargs": nested("[", "]", 5000)},
             expect=REFUSED, names=("chat_template_kwargs", "nest")),
    tokenize("both forms", {"content": "a", "prompt": "b"}, expect=REFUSED),
    tokenize("no form", {}, expect=REFUSED, names=("prompt",)),
    tokenize("an array of prompts", {"prompt": array("a", 60000)}, expect=REFUSED),
    tokenize("an encoder with 1 MB", {"prompt": repeat("a ", MIB // 2), "model": "bert"}),
    # Two jobs take up to 160 MiB each, beside the bodies.
    tokenize("32 texts of 1 MB at once", {"prompt": repeat("a ", MIB // 2)}, count=32, wall_s=60.0,
             cpu_s=60.0, memory_mb=500.0),
    tokenize("clients that leave", {"prompt": repeat("a ", MIB // 2)}, count=16, leave="sent",
             leave_s=0.05, wall_s=30.0, cpu_s=30.0),
    detokenize("1 million ids", {"tokens": [20] * MIB}, expect=EITHER),
    detokenize("40,000 ids", {"tokens": numbers(40000)}, expect=(200,)),
    detokenize("2 million ids", {"tokens": numbers(2000000)}, expect=REFUSED,
               names=("tokens", "value", "numbers")),
    detokenize("ids beyond the vocabulary", {"tokens": [2**22 - 1]}, expect=REFUSED),
    detokenize("ids beyond 64 bits", {"tokens": [2**64]}, expect=REFUSED,
               names=("tokens", "integer")),
    detokenize("negative ids", {"tokens": [-1]}, expect=REFUSED),
    detokenize("ids that are floats", {"tokens": [1e300, 1.5]}, expect=REFUSED),
    detokenize("deep ids", {"tokens": nested("[", "]", 5000)}, expect=REFUSED,
               names=("tokens", "nest")),
    Case("a name of 6 KB in a query", "tokens", "/props?model=" + "m" * 6000, method="GET",
         expect=(404,)),
    Case("a name with a NUL in a query", "tokens", "/props?model=%00", method="GET",
         expect=REFUSED),
]
