"""Inter-token latency of a SmolLM2-135M stream beside a long prompt, edgegate and llama-server."""

import asyncio
import random
import statistics

import client
import server_load
from report import Figure, Part, percentile

CONTEXT = 8192
STREAM_TOKENS = 3000  # the stream outlasts the prefill of the long prompt
BASELINE_TOKENS = 60
# Each word is one token, so that the number of tokens is known.
WORDS = ("water", "light", "small", "river", "house", "night", "green", "paper")


async def _stall(port, long_tokens):
    stream = client.Stream(port, client.chat("Count slowly.", STREAM_TOKENS, ignore_eos=True))
    await stream.open()
    await stream.reach(BASELINE_TOKENS)
    long_prompt = " ".join(random.Random(1).choices(WORDS, k=long_tokens))
    # A few tokens: the first may have no text.
    rival = client.Stream(port, client.chat(long_prompt, 8, ignore_eos=True))
    alone = len(stream.marks)
    await rival.open()
    await rival.finish()
    await stream.reach(len(stream.marks) + 1)  # the token after the rival's first one
    stream.close()
    if stream.marks[-1] < rival.marks[0]:
        raise RuntimeError("the stream ended before the long prompt's first token")
    return stream, alone, rival


def measure(serve, options):
    with serve(2, CONTEXT) as server:
        stream, alone, rival = asyncio.run(_stall(server.port, options.long_prompt))
    latencies = [seconds * 1e3 for seconds in stream.inter_token_s()]
    baseline, beside = latencies[alone // 3 : alone - 1], latencies[alone - 1 :]
    return {
        "baseline": statistics.median(baseline),
        "beside": statistics.median(beside),
        "beside_p99": percentile(beside, 0.99),
        "longest": max(beside),
        "first": rival.first_s(),
        "prompt_tokens": rival.usage["prompt_tokens"],
    }


def prompt_lengths(rounds):
    return [f"{name}: {of[0]['prompt_tokens']} tokens prefilled" for name, of in rounds.items()]


def make(places, options):
    """Part "stall"."""
    return Part(
        f"A stream of SmolLM2-135M beside a prompt of about {options.long_prompt} tokens",
        server_load.subjects_of(places, options, measure),
        [
            Figure("baseline", "inter-token latency alone, median, ms", less_is_better=True),
            Figure("beside", "beside the prompt, median, ms", less_is_better=True),
            Figure("beside_p99", "beside the prompt, p99, ms", less_is_better=True),
            Figure("longest", "beside the prompt, longest, ms", less_is_better=True),
            Figure("first", "the prompt's first token, s", less_is_better=True),
        ],
        remarks=prompt_lengths,
    )
