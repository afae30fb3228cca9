"""SmolLM2-135M behind edgegate and llama-server: many clients, a long prompt beside a stream, and
answers that repeat their prompt.

One server runs at a time. Its clients are on this machine, and end by themselves.
"""

import asyncio
import functools
import random
import statistics
import time

import client
from report import Figure, Lines, Part, Subject, percentile

WORDS = 100
LOAD_CONTEXT = 512  # tokens of a client's prompt and answer, at most
STALL_CONTEXT = 8192
STREAM_TOKENS = 3000  # of the stream that a long prompt comes beside: longer than it takes
USUAL_GAPS = 60
# The words of such a prompt that are a token each, so that their number is known.
LONG_WORDS = ("water", "light", "small", "river", "house", "night", "green", "paper")

COPY_ANSWERS = 3  # times as long as the others
TEXT = client.TEXT.split("\n\n")[0]
PROMPTS = {
    "copy": f"Repeat the following text exactly, word for word:\n\n{TEXT}",
    "edit": f'Repeat the following text, but write "river" where it says "canal":\n\n{TEXT}',
    "summary": f"Summarize the following text in three sentences:\n\n{TEXT}",
    "story": "Tell me a story about a lighthouse keeper and a lost sailor.",
}


# Many clients


async def _load(port, clients, requests, tokens):
    async def one_client(number):
        answers = []
        for i in range(requests):
            prompt = client.words(WORDS, seed=number * requests + i)
            body = client.chat(prompt, tokens, ignore_eos=True)
            answers.append(await client.ask(port, body))
        return answers

    await client.ask(port, client.chat(client.words(WORDS, seed=-1), 8))  # warms up
    start = time.perf_counter()
    answers = sum(await asyncio.gather(*map(one_client, range(clients))), [])
    return answers, time.perf_counter() - start


def load(server, clients, options):
    """Figures of so many clients at once, each with a few requests one after the other."""
    requests = max(options.requests, 16 // clients if options.requests > 1 else 1)
    answers, seconds = asyncio.run(_load(server.port, clients, requests, options.tokens))
    firsts = [answer.first_s() * 1e3 for answer in answers]
    gaps = [gap * 1e3 for answer in answers for gap in answer.gaps()] or [0]
    figures = {
        "ttft_p50": statistics.median(firsts),
        "ttft_p95": percentile(firsts, 0.95),
        "itl_p50": statistics.median(gaps),
        "itl_p99": percentile(gaps, 0.99),
        "tok_s": sum(answer.tokens() for answer in answers) / seconds,
    }
    return {f"{key}@{clients}": value for key, value in figures.items()}


LOAD_FIGURES = {
    "tok_s": ("tok/s of all", False),
    "ttft_p50": ("first token, median, ms", True),
    "ttft_p95": ("first token, p95, ms", True),
    "itl_p50": ("gap, median, ms", True),
    "itl_p99": ("gap, p99, ms", True),
}


def load_figures(clients):
    return [
        Figure(f"{key}@{count}", f"{count} client{'s' if count > 1 else ''}: {label}", less)
        for count in clients
        for key, (label, less) in LOAD_FIGURES.items()
    ]


def load_lines(clients):
    return [
        Lines(f"SmolLM2-135M, {label}", "clients", [(count, f"{key}@{count}") for count in clients])
        for key, (label, _) in LOAD_FIGURES.items()
    ]


def measure_load(serve, options):
    figures = {}
    for clients in options.clients:
        with serve(clients, LOAD_CONTEXT) as server:
            figures |= load(server, clients, options)
            figures["memory"] = server.peak_memory_mb()
    return figures


def subjects_of(places, options, measure):
    """SmolLM2 behind each server; `measure` takes how to serve so many clients of so many tokens."""

    def edgegate(weights, clients, context):
        return places.serve(places.bundle(weights))

    def llama(clients, context):
        return places.llama_serve(places.smollm2, clients, context)

    ours = "edgegate INT8"
    subjects = [
        Subject(ours, functools.partial(measure, functools.partial(edgegate, "int8"), options)),
        Subject(
            "llama-server Q4_1",
            functools.partial(measure, llama, options),
            ours,
            [places.llama / "llama-server"],
        ),
    ]
    if "int4" in options.formats:
        serve = functools.partial(edgegate, "int4")
        subjects.append(Subject("edgegate INT4", functools.partial(measure, serve, options), ours))
    return subjects


def make_load(places, options):
    """Part "server"."""
    return Part(
        f"SmolLM2-135M behind a server: streaming clients at once, prompts of {WORDS} words, "
        f"{options.tokens} tokens",
        subjects_of(places, options, measure_load),
        [
            *load_figures(options.clients),
            Figure("memory", "peak memory, most clients, MB", less_is_better=True),
        ],
        load_lines(options.clients),
    )


# A long prompt beside a stream


async def _stall(port, long_tokens):
    stream = client.Stream(port, client.chat("Count slowly.", STREAM_TOKENS, ignore_eos=True))
    await stream.open()
    await stream.reach(USUAL_GAPS)
    long_prompt = " ".join(random.Random(1).choices(LONG_WORDS, k=long_tokens))
    rival = client.Stream(port, client.chat(long_prompt, 1))
    alone = len(stream.marks)
    await rival.open()
    await rival.finish()
    await stream.reach(len(stream.marks) + 1)  # the gap that the rival's first token falls in
    stream.close()
    if stream.marks[-1] < rival.marks[0]:
        raise RuntimeError("the stream ended before the long prompt's first token")
    return stream, alone, rival


def measure_stall(serve, options):
    with serve(2, STALL_CONTEXT) as server:
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


def make_stall(places, options):
    """Part "stall"."""
    return Part(
        f"A stream of SmolLM2-135M beside a prompt of about {options.long_prompt} tokens",
        subjects_of(places, options, measure_stall),
        [
            Figure("usual", "usual gap, ms", less_is_better=True),
            Figure("beside", "gap beside the prompt, median, ms", less_is_better=True),
            Figure("beside_p99", "gap beside the prompt, p99, ms", less_is_better=True),
            Figure("longest", "longest gap, ms", less_is_better=True),
            Figure("first", "the prompt's first token, s", less_is_better=True),
        ],
        remarks=prompt_lengths,
    )


# Answers that repeat their prompt


def measure_copying(places, tokens, speculation):
    """Decode tok/s of each prompt, alone, by the usage and the first and last part's time."""
    figures = {}
    settings = ("--engine.speculation", "true" if speculation else "false")
    with places.serve(places.bundle("int8"), *settings) as server:
        asyncio.run(client.ask(server.port, client.chat("Hello", 8)))
        for key, prompt in PROMPTS.items():
            answer = asyncio.run(client.ask(server.port, client.chat(prompt, tokens)))
            seconds = max(answer.marks[-1] - answer.marks[0], 1e-6)  # 0: all came at once
            figures[key] = (answer.tokens() - 1) / seconds
            figures[f"{key}_text"] = answer.text
    return figures


def same_texts(rounds):
    texts = [{f[f"{key}_text"] for of in rounds.values() for f in of} for key in PROMPTS]
    same = all(len(of_prompt) == 1 for of_prompt in texts)
    return ["the answers are " + ("the same texts with and without" if same else "NOT the same")]


def make_copying(places, options):
    """Part "copying"."""
    ours = "guessing ahead"
    measure = functools.partial(measure_copying, places, COPY_ANSWERS * options.tokens)
    return Part(
        "SmolLM2-135M INT8, one client: engine.speculation on and off",
        [
            Subject(ours, functools.partial(measure, True)),
            Subject("without", functools.partial(measure, False), ours),
        ],
        [Figure(key, f"{key}: decode, tok/s") for key in PROMPTS],
        remarks=same_texts,
    )
