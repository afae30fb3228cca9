"""Measures edgegate and its peers in turn, on GLM-Edge-1.5B's dimensions with random weights.

    python3 tests/bench/compare.py --openvino models/openvino --openvino-python ov/bin/python \\
        --llama-bench llama.cpp/build/bin/llama-bench --llama-model q8_0.gguf \\
        --json compare.json --chart compare.svg

Prints medians over the rounds, and edgegate's ratio to each peer. A round measures edgegate, then
each peer, nothing beside it; machines drift, so compare figures of one run only. A peer that is
not named, or not there, is left out. Everything runs with its defaults but the threads.

edgegate: `cmake --preset release && cmake --build --preset release --target edgegate`. Without
--model it makes weights of the shape in memory, which says nothing of loading; with --model, a
bundle or checkpoint of these dimensions (the one below will do), it does.

OpenVINO GenAI, INT8 weights, in an environment of its own (the same for both commands):
    python3 -m venv ov
    ov/bin/pip install openvino openvino-genai openvino-tokenizers optimum-intel nncf \\
        "transformers<5"
    ov/bin/python tests/bench/make_openvino_model.py models   # models/openvino, models/checkpoint
    edgegate quantize models/checkpoint glm-edge-1.5b.edgegate   # for --model

llama.cpp, Q8_0: in its source tree, or vendor/llama.cpp of the package llama-cpp-python's source
(pip download --no-deps --no-binary llama-cpp-python llama-cpp-python),
    cmake -B build -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DLLAMA_CURL=OFF
    cmake --build build --target llama-bench llama-batched-bench
and the model: pip install gguf; python3 tests/bench/make_gguf_model.py q8_0.gguf

What is measured: prefill of one prompt; decoding of 1, 8 and 16 sequences after prompts of 16
tokens, the median step (llama.cpp: the mean); peak resident memory of the process. OpenVINO's steps
include greedy sampling, the others' end with the logits.
"""

import argparse
import html
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import shape

HERE = pathlib.Path(__file__).resolve().parent
BATCHES = (1, 8, 16)
SHORT = 16  # tokens of the prompts before decoding
MEGABYTE = 1024
EDGEGATE = "edgegate"


def figures_of(options):
    """Key and label of each figure."""
    figures = {"prefill_tok_s": f"prefill of {options.prompt}, tok/s"}
    for batch in BATCHES:
        figures[f"decode_{batch}_tok_s"] = f"decode of {batch}, tok/s"
    figures["load_s"] = "load, s (less is better)"
    figures["peak_rss_mb"] = "peak memory, MB (less is better)"
    return figures


def run(command):
    """What a command prints on either stream, and its peak resident memory in MB."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        child = subprocess.Popen(list(map(str, command)), stdout=out, stderr=err)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
    if child.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {child.returncode}: {texts[1].strip()[-500:]}")
    return *texts, usage.ru_maxrss / MEGABYTE


def measure_edgegate(options):
    command = [options.edgegate, "bench", "--json", "--threads", options.threads]
    command += ["--model", options.model] if options.model else ["--shape", "glm-edge-1.5b"]
    command += ["--prompt", options.prompt, "--gen", options.gen]
    out, _, memory = run([*command, "--batch", ",".join(map(str, BATCHES))])
    report = json.loads(out)
    figures = {f"decode_{d['batch']}_tok_s": d["tok_s"] for d in report["decode"]}
    figures |= {"prefill_tok_s": report["prefill_tok_s"], "peak_rss_mb": memory}
    if options.model:
        figures["load_s"] = report["load_s"]
    return figures | {key: report[key] for key in ("cpu", "kernels")} | report["limits"]


def measure_openvino(options):
    command = [options.openvino_python, HERE / "peer_openvino.py", options.openvino]
    out, _, memory = run([*command, options.threads, options.prompt, options.gen, *BATCHES])
    return json.loads(out.splitlines()[-1]) | {"peak_rss_mb": memory}


def measure_llama(options):
    common = ["-m", options.llama_model, "-t", options.threads]
    out, _, memory = run(
        [options.llama_bench, *common, "-p", options.prompt, "-n", 0, "-r", 3, "-o", "json"]
    )
    prefill = json.loads(out)[0]
    figures = {"prefill_tok_s": prefill["avg_ts"], "version": prefill["build_number"]}
    command = [batched_bench(options), *common, "-c", max(BATCHES) * (SHORT + options.gen)]
    command += ["-npp", SHORT, "-ntg", options.gen, "-npl", ",".join(map(str, BATCHES))]
    out, _, more = run([*command, "--output-format", "jsonl"])
    for line in out.splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            figures[f"decode_{row['pl']}_tok_s"] = row["speed_tg"]
    return figures | {"peak_rss_mb": max(memory, more)}


def batched_bench(options):
    return pathlib.Path(options.llama_bench).with_name("llama-batched-bench")


def engines_of(options):
    """Name and measuring function of edgegate and of each peer that is there; names the others."""
    engines = {EDGEGATE: measure_edgegate}
    peers = {
        "OpenVINO GenAI INT8": (measure_openvino, [options.openvino]),
        "llama.cpp Q8_0": (measure_llama, [options.llama_bench, options.llama_model]),
    }
    for name, (measure, needs) in peers.items():
        if all(needs) and all(map(os.path.exists, needs)):
            engines[name] = measure
        else:
            print(f"{name} is absent")
    return engines


def measure_rounds(engines, options):
    """The figures of each round of each engine; a peer that fails is dropped."""
    rounds = {name: [] for name in engines}
    for number in range(1, options.rounds + 1):
        for name in list(rounds):
            print(f"round {number}: {name}", file=sys.stderr)
            try:
                rounds[name].append(engines[name](options))
            except (RuntimeError, ValueError, KeyError, OSError) as error:
                if name == EDGEGATE:
                    sys.exit(f"compare: {error}")
                print(f"{name} is left out: {error}")
                del rounds[name]
    return rounds


def medians_of(rounds):
    """Median of each figure that is a number, else the first round's."""

    def median(values):
        return statistics.median(values) if isinstance(values[0], int | float) else values[0]

    return {key: median([figures[key] for figures in rounds]) for key in rounds[0]}


def limits_of(rounds, medians):
    """The machine's limits, and what shares of them edgegate's medians come to.

    A limit is the best that a round measured: a moment's neighbour can only lower it.
    """
    limits = {key: max(figures[key] for figures in rounds) for key in ("read_gb_s", "int8_gops")}
    # Each decoding step reads all weights; each prefilled token is multiplied by the layers'.
    read = shape.STEP_BYTES * medians["decode_1_tok_s"] / 1e9
    computed = 2 * shape.LAYER_WEIGHTS * medians["prefill_tok_s"] / 1e9
    return limits | {
        "decode_read_gb_s": read,
        "read_share": read / limits["read_gb_s"],
        "prefill_int8_gops": computed,
        "int8_share": computed / limits["int8_gops"],
    }


def ratios_of(ours, theirs, figures):
    return {key: ours[key] / theirs[key] for key in figures if key in ours and key in theirs}


def print_table(figures, medians, ratios, limits):
    print(f"{'':<34}" + "".join(f"{name:>30}" for name in medians))
    for key, label in figures.items():
        row = f"{label:<34}"
        for name, values in medians.items():
            cell = f"{values[key]:,.1f}" if key in values else "-"
            if key in ratios.get(name, {}):
                cell += f"  (x {ratios[name][key]:.2f})"
            row += f"{cell:>30}"
        print(row)
    print("in parentheses: edgegate's figure divided by the peer's")
    print(
        "edgegate's decode of 1 reads {decode_read_gb_s:.1f} GB/s, {read_share:.0%} of the best "
        "{read_gb_s:.1f} measured in these runs;\nits prefill computes {prefill_int8_gops:,.0f} "
        "INT8 GOPS, {int8_share:.0%} of {int8_gops:,.0f}".format(**limits)
    )


def chart(title, figures, medians):
    """A block of bars for each figure, one bar for each engine, as SVG."""
    left, longest, bar, gap = 250, 360, 18, 14
    colours = ("#1769aa", "#8a8f98", "#c3c7ce")
    parts = []
    y = 48
    for key, label in figures.items():
        values = {name: m[key] for name, m in medians.items() if key in m}
        middle = y + len(values) * bar / 2 + 5
        parts.append(f'<text x="10" y="{middle:.0f}">{html.escape(label)}</text>')
        for colour, name in zip(colours, medians, strict=False):
            if name not in values:
                continue
            width = longest * values[name] / max(values.values())
            parts.append(
                f'<rect x="{left}" y="{y}" width="{width:.0f}" height="{bar - 3}" fill="{colour}"/>'
            )
            text = html.escape(f"{values[name]:,.1f}  {name}")
            parts.append(f'<text x="{left + width + 6:.0f}" y="{y + 12}">{text}</text>')
            y += bar
        y += gap
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="{y}" '
        'font-family="sans-serif" font-size="13" fill="#222">\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        f'<text x="10" y="26" font-size="15">{html.escape(title)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    binary = HERE.parents[1] / "build/release/edgegate"
    parser.add_argument("--edgegate", default=binary, help="the binary [build/release/edgegate]")
    parser.add_argument("--model", help="edgegate's model; left out: random weights in memory")
    parser.add_argument("--openvino", help="folder with the exported model")
    parser.add_argument("--openvino-python", default=sys.executable, help="has openvino_genai")
    parser.add_argument("--llama-bench", help="the program; llama-batched-bench stands beside it")
    parser.add_argument("--llama-model", help="GGUF file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=512, help="tokens to prefill")
    parser.add_argument("--gen", type=int, default=32, help="tokens to decode")
    parser.add_argument("--json", help="file for medians, ratios and every round")
    parser.add_argument("--chart", help="file for a bar chart, SVG")
    return parser.parse_args()


def report_of(rounds, figures, options):
    medians = {name: medians_of(of_engine) for name, of_engine in rounds.items()}
    ours = medians[EDGEGATE]
    title = (
        f"GLM-Edge-1.5B's dimensions, {ours['cpu']}, {options.threads} threads, "
        f"medians of {options.rounds} rounds"
    )
    return {
        "title": title,
        "medians": medians,
        "ratios": {n: ratios_of(ours, m, figures) for n, m in medians.items() if n != EDGEGATE},
        "limits": limits_of(rounds[EDGEGATE], ours),
        "rounds": rounds,
    }


def main():
    options = parse_arguments()
    figures = figures_of(options)
    rounds = measure_rounds(engines_of(options), options)
    report = report_of(rounds, figures, options)
    print(report["title"])
    print_table(figures, report["medians"], report["ratios"], report["limits"])
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    if options.chart:
        picture = chart(report["title"], figures, report["medians"])
        pathlib.Path(options.chart).write_text(picture)


if __name__ == "__main__":
    main()
