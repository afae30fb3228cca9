"""Prefill, decoding, loading and memory of one text model, of 8 bits and of 4, and within AVX2."""

import functools
import json

import process
import shape
from report import Figure, Part, Subject, medians_of

BATCHES = (1, 8, 16)
SHORT = 16  # tokens of the prompts before decoding
PREFILLS = 3  # after one that warms up; as many as `edgegate bench` measures


def bench(places, options, *more):
    """Figures of `edgegate bench`."""
    command = [places.edgegate, "bench", "--json", "--threads", options.threads]
    command += ["--prompt", options.prompt, "--gen", options.gen]
    out, memory = process.run([*command, "--batch", ",".join(map(str, BATCHES)), *more])
    report = json.loads(out)
    figures = {f"decode_{d['batch']}": d["tok_s"] for d in report["decode"]}
    figures |= {"prefill": report["prefill_tok_s"], "memory": memory}
    read = report["decode_read"]
    figures |= {"decode_read": read["gb_s"], "read_share": read["share"]}
    return figures | {key: report[key] for key in ("cpu", "kernels", "load_s")} | report["machine"]


def measure_edgegate(places, options, weights):
    if weights == "int8" and options.model:
        figures = bench(places, options, "--model", options.model)
        return figures | {"load": figures["load_s"]}
    return bench(places, options, "--shape", options.shape, "--format", weights)


def measure_runtime(command, options):
    """A peer that runs in Python."""
    numbers = (options.threads, PREFILLS, options.prompt, options.gen, *BATCHES)
    out, memory = process.run([*command, *numbers])
    return json.loads(out.splitlines()[-1]) | {"memory": memory}


def measure_llama(places, options, weights):
    common = ["-m", places.models / f"{weights}.gguf", "-t", options.threads]
    command = [places.llama / "llama-bench", *common, "-p", options.prompt, "-n", 0]
    out, memory = process.run([*command, "-r", PREFILLS, "-o", "json"])
    prefill = json.loads(out)[0]
    figures = {"prefill": prefill["avg_ts"], "version": prefill["build_number"]}
    command = [places.llama / "llama-batched-bench", *common]
    command += ["-c", max(BATCHES) * (SHORT + options.gen), "-npp", SHORT, "-ntg", options.gen]
    out, more = process.run(
        [*command, "-npl", ",".join(map(str, BATCHES)), "--output-format", "jsonl"]
    )
    for line in out.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            figures[f"decode_{row['pl']}"] = row["speed_tg"]
    return figures | {"memory": max(memory, more)}


def figures_of(options):
    return [
        Figure("prefill", f"prefill of {options.prompt}, tok/s"),
        *(Figure(f"decode_{batch}", f"decode of {batch}, tok/s") for batch in BATCHES),
        Figure("load", "load, s", less_is_better=True),
        Figure("memory", "peak memory, MB", less_is_better=True),
    ]


def shares(rounds, names, options):
    """Sentences: edgegate's medians relative to the speed of the machine, for shape.NAME only.

    The INT8 speed is the best value of all rounds, because other load can only lower it.
    """
    if options.shape != shape.NAME:
        return []
    sentences = []
    for name in names:
        if not rounds.get(name):
            continue
        best_gops = max(figures["int8_gops"] for figures in rounds[name])
        middle = medians_of(rounds[name])
        # Each prefilled token is multiplied by the layers' weights.
        computed = 2 * shape.LAYER_WEIGHTS * middle["prefill"] / 1e9
        sentences.append(
            f"{name}: decode of 1 reads {middle['decode_read']:.1f} GB/s, "
            f"{middle['read_share']:.0%} of the speed of the memory; "
            f"prefill computes {computed:,.0f} GOPS, {computed / best_gops:.0%} of {best_gops:,.0f}"
        )
    return sentences


def make(places, options):
    """Part "text"."""
    subjects = []
    for weights, gguf in (("int8", "q8_0"), ("int4", "q4_0")):
        ours = f"edgegate {weights.upper()}"
        subjects.append(
            Subject(ours, functools.partial(measure_edgegate, places, options, weights))
        )
        for name, command, needs in places.runtimes(weights):
            measure = functools.partial(measure_runtime, command, options)
            subjects.append(Subject(name, measure, ours, needs))
        subjects.append(
            Subject(
                f"llama.cpp {gguf.upper()}",
                functools.partial(measure_llama, places, options, gguf),
                ours,
                [places.llama / "llama-batched-bench", places.models / f"{gguf}.gguf"],
            )
        )
    names = ("edgegate INT8", "edgegate INT4")
    return Part(
        f"Random weights of {options.shape}'s dimensions",
        subjects,
        figures_of(options),
        remarks=lambda rounds: shares(rounds, names, options),
    )


def measure_onednn(places, options):
    environment = {"OMP_NUM_THREADS": str(options.threads)}
    return json.loads(process.run([places.onednn, "avx2"], environment)[0])


def make_avx2(places, options):
    """Part "avx2": oneDNN's figures are of its matrix products alone, edgegate's of everything."""
    ours = "edgegate INT8, AVX2"
    more = ("--shape", options.shape, "--engine.isa", "avx2")
    theirs = functools.partial(measure_onednn, places, options)
    return Part(
        f"Within AVX2, {options.shape}'s dimensions",
        [
            Subject(ours, functools.partial(bench, places, options, *more)),
            Subject("oneDNN INT8, matmul alone", theirs, ours, [places.onednn]),
        ],
        [figure for figure in figures_of(options) if figure.key != "load"],
        remarks=lambda rounds: shares(rounds, [ours], options),
    )
