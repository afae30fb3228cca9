"""Prompts that are long, or expensive for a tokenizer or a chat template."""

from case import REFUSED, chat, text
from generate import array, join, members, nested, numbered, numbers, repeat

MIB = 1 << 20
MODELS = ("smol", "demo", "tiny")

# (name, text): more of each than any context holds.
LONG = [
    ("16 MB of a", repeat("a", 16 * MIB - 4096)),
    ("15 MB of digits", repeat("1234567890", 1572864)),
    ("15 MB of combining marks", repeat("\u0301", 15 * MIB // 6)),
    ("15 MB of spaces", repeat(" ", 15 * MIB)),
    ("7 MB of newlines", repeat("\n", 7 * MIB)),
    ("a 15 MB word", join(repeat("ab", 15 * MIB // 2))),
]
# A few kB of these may fit the context. The daemon may answer or refuse them.
ODD = [
    ("100,000 special tokens", repeat("<|im_start|>", 100000)),
    ("100,000 half special tokens", repeat("<|im_", 100000)),
    ("100,000 end of text", repeat("<|endoftext|>", 100000)),
    ("300,000 angle brackets", repeat("<", 300000)),
    ("100,000 family emoji", repeat("\U0001f468\u200d\U0001f469\u200d\U0001f467", 100000)),
    ("one letter with 100,000 marks", join("e", repeat("\u0301\u0323", 50000))),
    ("100,000 Hangul letters", repeat("\u1112\u1161\u11ab", 33000)),
    ("100,000 ligatures", repeat("\ufdfa", 100000)),
    ("100,000 zero-width joiners", repeat("\u200d", 100000)),
    ("100,000 right-to-left marks", repeat("\u202e", 100000)),
    ("100,000 NUL", repeat("\x00", 100000)),
    ("100,000 apostrophes", repeat("'s", 100000)),
    ("spaces and letters", repeat(" " * 50 + "a", 20000)),
    ("one word of 2,000", repeat("q", 2000)),
    ("400 combining marks", repeat("\u0301", 400)),
    ("2,000 spaces", repeat(" ", 2000)),
    ("unassigned planes", repeat("\U000e0100\U0010fffd", 200)),
]

CASES = [
    text("prompt", f"{name}, {model}", {"model": model, "prompt": value}, expect=REFUSED,
         names=("prompt", "context"))
    for name, value in LONG
    for model in MODELS
]
CASES += [
    text("prompt", f"{name}, {model}", {"model": model, "prompt": value, "max_tokens": 4},
         names=("prompt", "context"))
    for name, value in ODD
    for model in ("smol", "tiny")
]
CASES += [
    chat("prompt", f"{name} in a message", {"messages": [{"role": "user", "content": value}]},
         expect=REFUSED, names=("messages", "context"))
    for name, value in LONG
]
CASES += [
    chat("prompt", "system message of 15 MB",
         {"messages": [{"role": "system", "content": repeat("s ", 7 * MIB)},
                       {"role": "user", "content": "x"}]}, expect=REFUSED),
    text("prompt", "100 prompts of 150 KB", {"prompt": array(repeat("a ", 75000), 100)},
         expect=REFUSED),
    text("prompt", "500,000 prompts", {"prompt": array("x", 500000)}, expect=REFUSED),
    text("prompt", "5,000 prompts", {"prompt": array("x", 5000)}, expect=REFUSED),
    text("prompt", "32 prompts, n 16", {"prompt": array("x", 32), "n": 16, "max_tokens": 2}),
    text("prompt", "empty prompts", {"prompt": array("", 1000)}, expect=REFUSED),
    text("prompt", "deep prompt", {"prompt": nested("[", "]", 5000)}, expect=REFUSED,
         names=("prompt", "nest", "deep", "depth")),
    text("prompt", "mixed prompts", {"prompt": ["a", 1, [2], None]}, expect=REFUSED),
    text("prompt", "a million token ids", {"prompt": numbers(1000000)}, expect=REFUSED),
    text("prompt", "5 million token ids", {"prompt": array(1, 5 * MIB)}, expect=REFUSED),
    text("prompt", "1,000 lists of 1,000 token ids", {"prompt": array(numbers(1000), 1000)},
         expect=REFUSED),
    text("prompt", "500,000 empty lists", {"prompt": array([], 500000)}, expect=REFUSED),
    text("prompt", "negative ids", {"prompt": array(-1, 1000)}, expect=REFUSED),
    text("prompt", "float ids", {"prompt": array(1.5, 1000)}, expect=REFUSED),
    text("prompt", "huge ids", {"prompt": [2**31, 2**63, 2**64]}, expect=REFUSED),
    text("prompt", "special ids", {"prompt": array(1, 8000), "max_tokens": 1}),
    text("prompt", "bool ids", {"prompt": [True, False]}, expect=REFUSED),
    text("prompt", "id 0 and the last", {"prompt": [0, 49151], "max_tokens": 2}),
    text("prompt", "echo of a long prompt",
         {"prompt": numbers(7000, 100), "echo": True, "logprobs": 20, "max_tokens": 1},
         cpu_s=20.0, wall_s=20.0, beside=False),
]

KWARGS = {"messages": [{"role": "user", "content": "x"}], "max_tokens": 2}


def kwargs(name, value, **more):
    return chat("template kwargs", name, {"chat_template_kwargs": value, **KWARGS}, **more)


CASES += [
    kwargs("deep", nested('{"a":', "}", 5000), expect=REFUSED,
           names=("chat_template_kwargs", "nest", "deep", "depth")),
    kwargs("300,000 members", members("k{}", 1, 300000), expect=REFUSED,
           names=("chat_template_kwargs", "member")),
    kwargs("15 MB string", {"x": repeat("x", 15 * MIB)}),
    kwargs("shadowed messages", {"messages": array({"role": "user", "content": "y"}, 100000)},
           names=("chat_template_kwargs", "messages", "member", "node", "value")),
    kwargs("shadowed add_generation_prompt", {"add_generation_prompt": "no"}),
    kwargs("shadowed functions", {"range": 1, "namespace": 2, "raise_exception": 3, "loop": 4}),
    kwargs("shadowed tools", {"tools": numbered("t{}", 50000)},
           names=("chat_template_kwargs", "tools", "member", "node", "value")),
    kwargs("names with dots", {"a.b": 1, "__class__": {}, "": 0, "\x00": 1}),
    kwargs("an array", [1, 2], expect=REFUSED),
    chat("template kwargs", "tools with 50,000 functions",
         {"tools": array({"type": "function", "function": {"name": "f"}}, 50000)},
         names=("tools",)),
    chat("template kwargs", "deep tools", {"tools": nested("[", "]", 5000)}, expect=REFUSED,
         names=("tools", "nest", "deep", "depth")),
    chat("template kwargs", "tool_choice of 1 MB", {"tool_choice": repeat("t", MIB)},
         expect=REFUSED),
    chat("template kwargs", "functions", {"functions": array({"name": "f"}, 20000)},
         expect=REFUSED),
]
