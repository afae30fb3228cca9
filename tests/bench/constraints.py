#!/usr/bin/env python3
"""Measures the cost of grammar masks and of log-probabilities: tok/s of one stream with and without them.

tests/bench/constraints.py --binary build/release/edgegate [--model PATH]

Each round asks for the same number of tokens: plainly, bound by a JSON schema, and with the five most
probable tokens of each position. A round is short, because the speed of the machine changes. Each speed is
divided by the mean of the plain speeds before and after it. The figures are the median speed, and the median
and the quartiles of these ratios. Without --model: random weights of GLM-Edge-1.5B's dimensions, with a byte-level BPE tokenizer of
59,264 tokens that is trained on the source of Python's library. This needs the packages of build/peers/ort
(compare.py --help).
"""

import argparse
import http.client
import itertools
import json
import pathlib
import statistics
import sysconfig
import tempfile

import process
import shape

SCHEMA = {"type": "array", "minItems": 1000, "items": {
    "type": "object", "additionalProperties": False, "required": ["name", "price", "tags"],
    "properties": {"name": {"type": "string"}, "price": {"type": "number"},
                   "tags": {"type": "array", "items": {"type": "string"}}}}}
KINDS = {
    "plain": {},
    # The list does not end before the tokens do.
    "schema": {"ignore_eos": False, "response_format": {"type": "json_schema", "json_schema": {"name": "list", "schema": SCHEMA}}},
    "logprobs": {"logprobs": True, "top_logprobs": 5},
}


def tokens_per_second(port, tokens, more):
    body = {"model": "bench", "max_tokens": tokens, "temperature": 0, "ignore_eos": True,
            "messages": [{"role": "user", "content": "List a thousand things with their prices."}]} | more
    connection = http.client.HTTPConnection(process.LOOPBACK, port, timeout=600)
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    if "usage" not in answer:
        raise RuntimeError(answer)
    if answer["usage"]["completion_tokens"] != tokens:
        raise RuntimeError(f"asked for {tokens} tokens, got {answer['usage']}")
    return (tokens - 1) / answer["timings"]["decode_ms"] * 1000


def is_utf8(path):
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def make_model(folder):
    """Writes a random checkpoint with a tokenizer whose vocabulary is as large as GLM-Edge's."""
    import random_checkpoint
    import tokenizers
    import transformers

    random_checkpoint.make(folder, transformers.LlamaConfig)
    tokenizer = tokenizers.ByteLevelBPETokenizer()
    sources = sorted(map(str, filter(is_utf8, pathlib.Path(sysconfig.get_path("stdlib")).glob("**/*.py"))))
    tokenizer.train(sources, vocab_size=shape.VOCABULARY, min_frequency=2)
    if tokenizer.get_vocab_size() != shape.VOCABULARY:
        raise RuntimeError(f"the text gave {tokenizer.get_vocab_size()} tokens only")
    tokenizer.save(str(folder / "tokenizer.json"))
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edgegate-bench-") as folder:
        model = options.model or make_model(pathlib.Path(folder))
        command = [options.binary, "serve", "--model", f"bench={model}", "--engine.speculation", "false"]
        with process.Server(command) as server:
            speeds = {kind: [] for kind in KINDS}
            for more in KINDS.values():
                tokens_per_second(server.port, 16, more)
            for _ in range(options.rounds):
                for kind, more in KINDS.items():
                    speeds[kind].append(tokens_per_second(server.port, options.tokens, more))
            speeds["plain"].append(tokens_per_second(server.port, options.tokens, KINDS["plain"]))
    plain = [statistics.mean(pair) for pair in itertools.pairwise(speeds["plain"])]
    for kind, values in speeds.items():
        low, middle, high = statistics.quantiles([v / p for v, p in zip(values, plain, strict=False)], n=4)
        print(f"{kind:9} {statistics.median(values):7.1f} tok/s  {middle:6.1%} of plain ({low:.1%} to {high:.1%})")


if __name__ == "__main__":
    main()
