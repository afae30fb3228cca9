"""Time from a server's start until it is healthy, and its memory under load."""

import asyncio
import functools
import pathlib

import client
from report import Figure, Part, Subject, medians_of

KV_MB = 512
BUDGET_MB = 250  # for all memory except the weights and the KV cache
CLIENTS = 8
WORDS = 20  # of each prompt: some models here have a token for each letter
CONTEXT = 512
MEGABYTE = 1 << 20


async def _load(port):
    bodies = [client.chat(client.words(WORDS, seed), 16, ignore_eos=True) for seed in range(CLIENTS)]
    await asyncio.gather(*(client.ask(port, body) for body in bodies))


def measure(serve):
    """Figures of the second start. The first one brings the model into the page cache."""
    with serve():
        pass
    with serve() as server:
        asyncio.run(_load(server.port))
        return {"start": server.ready_s, "memory": server.peak_memory_mb()}


def measure_edgegate(places, model):
    def serve():
        return places.serve(model(), "--engine.kv_cache_mb", KV_MB)

    figures = measure(serve)
    weights = pathlib.Path(model()).stat().st_size / MEGABYTE
    return figures | {"weights": weights, "other": figures["memory"] - weights - KV_MB}


def measure_llama(places, model):
    return measure(lambda: places.llama_serve(model, CLIENTS, CONTEXT))


def budget(rounds):
    sentences = []
    for name, of_subject in rounds.items():
        if of_subject and "other" in of_subject[0]:
            middle = medians_of(of_subject)
            word = "within" if middle["other"] <= BUDGET_MB else "ABOVE"
            sentences.append(
                f"{name}: peak {middle['memory']:,.0f} MB, {word} the budget of "
                f"{middle['weights']:,.0f} MB weights, {KV_MB} MB KV cache and {BUDGET_MB} MB"
            )
    return sentences


def make(places, options):
    """Part "start"."""
    small = "edgegate, SmolLM2-135M"
    subjects = [
        Subject(
            small,
            functools.partial(measure_edgegate, places, lambda: places.bundle("int8")),
        ),
        Subject(
            "llama-server Q4_1",
            functools.partial(measure_llama, places, places.smollm2),
            small,
            [places.llama / "llama-server"],
        ),
    ]
    if options.model and pathlib.Path(options.model).is_file():
        large = f"edgegate, {pathlib.Path(options.model).stem}"
        subjects += [
            Subject(large, functools.partial(measure_edgegate, places, lambda: options.model)),
            Subject(
                "llama-server Q8_0",
                functools.partial(measure_llama, places, places.models / "q8_0.gguf"),
                large,
                [places.llama / "llama-server", places.models / "q8_0.gguf"],
            ),
        ]
    return Part(
        f"A server's start, its model in the page cache, and {CLIENTS} clients at once",
        subjects,
        [
            Figure("start", "until /health is 200, s", less_is_better=True),
            Figure("memory", "peak memory, MB", less_is_better=True),
            Figure("weights", "packed weights, MB", less_is_better=True),
            Figure("other", "all but weights and KV cache, MB", less_is_better=True),
        ],
        remarks=budget,
    )
