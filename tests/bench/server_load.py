"""SmolLM2-135M behind edgegate and llama-server: streaming clients at once.

One server runs at a time. Its clients run on this machine.
"""

import asyncio
import functools
import statistics
import time

import client
from report import Figure, Lines, Part, Subject, percentile

WORDS = 100
CONTEXT = 512  # tokens of a client's prompt and answer, at most


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
    """Figures of `clients` clients at once. Each sends its requests one after the other."""
    requests = max(options.requests, 16 // clients if options.requests > 1 else 1)
    answers, seconds = asyncio.run(_load(server.port, clients, requests, options.tokens))
    firsts = [answer.first_s() * 1e3 for answer in answers]
    itl = [s * 1e3 for answer in answers for s in answer.inter_token_s()] or [0]
    figures = {
        "ttft_p50": statistics.median(firsts),
        "ttft_p95": percentile(firsts, 0.95),
        "itl_p50": statistics.median(itl),
        "itl_p99": percentile(itl, 0.99),
        "tok_s": sum(answer.tokens() for answer in answers) / seconds,
    }
    return {f"{key}@{clients}": value for key, value in figures.items()}


FIGURES = {
    "tok_s": ("tok/s of all", False),
    "ttft_p50": ("time to first token, median, ms", True),
    "ttft_p95": ("time to first token, p95, ms", True),
    "itl_p50": ("inter-token latency, median, ms", True),
    "itl_p99": ("inter-token latency, p99, ms", True),
}


def load_figures(clients):
    return [
        Figure(f"{key}@{count}", f"{count} client{'s' if count > 1 else ''}: {label}", less)
        for count in clients
        for key, (label, less) in FIGURES.items()
    ]


def load_lines(clients):
    return [
        Lines(f"SmolLM2-135M, {label}", "clients", [(count, f"{key}@{count}") for count in clients])
        for key, (label, _) in FIGURES.items()
    ]


def measure_load(serve, options):
    figures = {}
    for clients in options.clients:
        with serve(clients, CONTEXT) as server:
            figures |= load(server, clients, options)
            figures["memory"] = server.peak_memory_mb()
    return figures


def subjects_of(places, options, measure):
    """SmolLM2 behind each server. `measure` takes a function serve(clients, context)."""

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


def make(places, options):
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
