"""Throughput of edgegate alone over context length, batch size and number of clients."""

import functools
import json

import process
import server_load
from report import Figure, Lines, Part, Subject

PROMPT = 128


def measure_bench(places, options, weights):
    command = [places.edgegate, "bench", "--json", "--threads", options.threads]
    command += ["--shape", options.shape, "--format", weights, "--prompt", PROMPT]
    command += ["--gen", options.gen, "--batch", ",".join(map(str, options.batches))]
    out, _ = process.run([*command, "--context", ",".join(map(str, options.contexts))])
    report = json.loads(out)
    figures = {f"batch@{d['batch']}": d["tok_s"] for d in report["decode"]}
    for length in report["context"]:
        figures[f"prefill@{length['context']}"] = length["prefill_tok_s"]
        figures[f"decode@{length['context']}"] = length["decode_tok_s"]
    return figures


def make(places, options):
    """Part "scaling"."""
    contexts, batches = options.contexts, options.batches
    return Part(
        f"Context lengths and batch sizes, {options.shape}'s dimensions",
        [
            Subject(
                f"edgegate {weights.upper()}",
                functools.partial(measure_bench, places, options, weights),
                None if weights == "int8" else "edgegate INT8",
            )
            for weights in options.formats
        ],
        [
            *(Figure(f"prefill@{n}", f"prefill of {n}, tok/s") for n in contexts),
            *(Figure(f"decode@{n}", f"decode of 1 after {n}, tok/s") for n in contexts),
            *(Figure(f"batch@{n}", f"decode of {n}, tok/s") for n in batches),
        ],
        [
            Lines(
                "prefill, tok/s", "tokens of the prompt", [(n, f"prefill@{n}") for n in contexts]
            ),
            Lines("decode of 1, tok/s", "tokens before", [(n, f"decode@{n}") for n in contexts]),
            Lines("decode, tok/s of all", "sequences", [(n, f"batch@{n}") for n in batches]),
        ],
    )


def measure_concurrency(places, options):
    figures = {}
    with places.serve(places.bundle("int8")) as server:
        for clients in options.concurrency:
            figures |= server_load.load(server, clients, options)
        figures["memory"] = server.peak_memory_mb()
    return figures


def make_concurrency(places, options):
    """Part "concurrency"."""
    return Part(
        "SmolLM2-135M INT8 behind edgegate, engine.max_num_seqs and all else at its defaults",
        [Subject("edgegate INT8", functools.partial(measure_concurrency, places, options))],
        [
            *server_load.load_figures(options.concurrency),
            Figure("memory", "peak memory, MB", less_is_better=True),
        ],
        server_load.load_lines(options.concurrency),
    )
