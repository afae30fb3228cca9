"""What a stream of SmolLM2-135M notices of a long prompt beside it, in edgegate and llama-server."""

import asyncio
import random
import statistics

import client
import server_load
from report import Figure, Part, percentile

CONTEXT = 8192
STREAM_TOKENS = 3000  # of the stream that a long prompt comes beside: longer than it takes
USUAL_GAPS = 60
# The words of such a prompt that are a token each, so that their number is known.
WORDS = ("water", "light", "small", "river", "house", "night", "green", "paper")


async def _stall(port, long_tokens):
    stream = client.Stream(port, client.chat("Count slowly.", STREAM_TOKENS, ignore_eos=True))
    await stream.open()
    await stream.reach(USUAL_GAPS)
    long_prompt = " ".join(random.Random(1).choices(WORDS, k=long_tokens))
    # A few tokens: the first may have no text.
    rival = client.Stream(port, client.chat(long_prompt, 8, ignore_eos=True))
    alone = len(stream.marks)
    await rival.open()
    await rival.finish()
    await stream.reach(len(stream.marks) + 1)  # the gap that the rival's first token falls in
    stream.close()
    if stream.marks[-1] < rival.marks[0]:
        raise RuntimeError("the stream ended before the long prompt's first token")
    return stream, alone, rival


def measure(serve, options):
    with serve(2, CONTEXT) as server:
        stream, alone, rival = asyncio.run(_stall(server.port, options.long_prompt))
    gaps = [gap * 1e3 for gap in stream.gaps()]
    usual, beside = gaps[alone // 3 : alone - 1], gaps[alone - 1 :]
    return {
        "usual": statistics.median(usual),
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
            Figure("usual", "usual gap, ms", less_is_better=True),
            Figure("beside", "gap beside the prompt, median, ms", less_is_better=True),
            Figure("beside_p99", "gap beside the prompt, p99, ms", less_is_better=True),
            Figure("longest", "longest gap, ms", less_is_better=True),
            Figure("first", "the prompt's first token, s", less_is_better=True),
        ],
        remarks=prompt_lengths,
    )
