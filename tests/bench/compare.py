"""Measures edgegate and its peers in turn: one command for the figures of docs/performance.md.

    python3 tests/bench/compare.py --out build/compare              # everything, three rounds
    python3 tests/bench/compare.py --quick --only text,server       # a part, in a minute or so
    python3 tests/bench/compare.py --quick                          # edgegate alone: three minutes

Prints tables of medians over the rounds. "x" is how many times better edgegate is. Writes
compare.json with every round, and charts (SVG). A round measures each subject of a part once, one
at a time, so that other load on the machine affects all subjects. Machines drift: compare figures
of one run only. All programs run with their defaults, except for the number of threads. A peer that
is not installed is named and left out. A peer that fails is left out of the later rounds.

Parts (--only takes any of them, with commas between):
    text      random weights of GLM-Edge-1.5B's dimensions, INT8 and INT4: prefill, decode of 1, 8
              and 16 after prompts of 16 tokens (the median step; llama.cpp: the mean), loading, peak
              memory. The steps of OpenVINO and ONNX Runtime include greedy sampling, the others' end
              with the logits.
    server    SmolLM2-135M behind HTTP, streaming clients at once: time to first token, inter-token
              latency, tok/s.
    stall     a stream's inter-token latency while a long prompt is prefilled beside it.
    copying   answers that repeat their prompt, with engine.speculation and without.
    image     an image of 672 pixels and a short question, to the first token.
    start     a server's start from a warm page cache, and its memory under load.
    scaling   edgegate alone: contexts to 8192 tokens, batches to 64.
    concurrency
              edgegate alone: 1 to 256 clients.
    avx2      edgegate capped to AVX2, beside what oneDNN's INT8 matmul alone would give there: its
              sums of two products saturate at 16 bits, edgegate's are exact.
    busy      random weights beside busy processes, one and two for each processor, beside some that
              come and go, with a quota and an affinity of one processor, and two at once. edgegate
              chooses its threads itself; the peers have one for each processor that they may use.
              Decoding is the mean step. --conditions takes any of:
              alone, n, 2n, turns, quota, one, two; without it the peers leave out the last three.

edgegate:
    cmake --preset release && cmake --build --preset release --target edgegate onednn_int8
    scripts/fetch-smollm2 models

--model, a bundle or checkpoint of GLM-Edge-1.5B's dimensions such as the one below, adds loading to
"text" and the start of a larger model to "start". --vision-model, such as
build/peers/models/q8_0.gguf+build/peers/models/mmproj.gguf, adds edgegate's server to "image": it is
shown one image twice.

The peers stand in one folder, build/peers unless --peers names another:
    mkdir -p build/peers/models
    python3 -m venv build/peers/ov
    build/peers/ov/bin/pip install openvino openvino-genai openvino-tokenizers optimum-intel nncf \\
        "transformers<5" gguf
    build/peers/ov/bin/python tests/bench/make_openvino_model.py build/peers/models
    build/peers/ov/bin/python tests/bench/make_gguf_model.py build/peers/models
    build/peers/ov/bin/python tests/bench/make_gguf_image.py build/peers/models
    python3 -m venv build/peers/ort
    build/peers/ort/bin/pip install onnxruntime-genai onnxruntime onnx onnx-ir transformers torch
    build/peers/ort/bin/python tests/bench/make_onnx_model.py build/peers/models
    build/release/edgegate quantize build/peers/models/checkpoint \\
        build/peers/models/glm-edge-1.5b.edgegate      # for --model

    cd build/peers      # llama.cpp is inside the source of the package llama-cpp-python
    pip download --no-deps --no-binary llama-cpp-python llama-cpp-python==0.3.36
    tar xf llama_cpp_python-0.3.36.tar.gz && mv llama_cpp_python-0.3.36/vendor/llama.cpp llama
    cmake -S llama -B llama/build -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON \\
        -DLLAMA_CURL=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF
    # GCC 12 drops what llama.cpp 0.3.36 writes into its AMX tile configuration: SIGILL on such CPUs.
    sed -i -e 's/ tile_config_t tc = / volatile tile_config_t tc = /' \\
        -e 's/_tile_loadconfig(&tc)/_tile_loadconfig((const void*)\\&tc)/' \\
        llama/ggml/src/ggml-cpu/amx/mmq.cpp
    cmake --build llama/build --target llama-bench llama-batched-bench llama-server
"""

import argparse
import dataclasses
import json
import os
import pathlib
import sys

import busy
import chart
import copying
import image
import peers
import report
import scaling
import server_load
import stall
import start
import throughput

ROOT = peers.HERE.parents[1]
PARTS = {
    "text": throughput.make,
    "server": server_load.make,
    "stall": stall.make,
    "copying": copying.make,
    "image": image.make,
    "start": start.make,
    "scaling": scaling.make,
    "concurrency": scaling.make_concurrency,
    "avx2": throughput.make_avx2,
    "busy": busy.make,
}
FULL = {
    "rounds": 3,
    "prompt": 512,
    "gen": 32,
    "requests": 2,  # of each client, at least
    "clients": (1, 4, 8, 16, 32),
    "concurrency": (1, 2, 4, 8, 16, 32, 64, 128, 256),
    "long_prompt": 4000,
    "contexts": (128, 256, 512, 1024, 2048, 4096, 8192),
    "batches": (1, 2, 4, 8, 16, 32, 64),
    "formats": ("int8", "int4"),
    "busy_prompt": 256,
    "busy_gen": 16,
}
QUICK = {
    "rounds": 1,
    "prompt": 128,
    "gen": 12,
    "requests": 1,
    "clients": (1, 8),
    "concurrency": (1, 8, 64),
    "long_prompt": 2000,
    "contexts": (128, 512, 1024),
    "batches": (1, 8, 32),
    "formats": ("int8",),
    "busy_prompt": 64,
    "busy_gen": 8,
}


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    model = ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
    add = parser.add_argument
    add("--only", default=",".join(PARTS), help="parts, with commas between [all]")
    add("--quick", action="store_true", help="one round of fewer and smaller runs")
    add("--out", help="folder for compare.json and the charts")
    add("--edgegate", default=ROOT / "build/release/edgegate", help="[build/release/edgegate]")
    add("--smollm2", default=model, help="[models/SmolLM2-135M-Instruct.Q4_1.gguf]")
    add("--model", help="edgegate's text model; left out: random weights in memory")
    add("--vision-model", help="a GLM-Edge-V for edgegate's server")
    add("--shape", default="glm-edge-1.5b", help="the random weights' dimensions [glm-edge-1.5b]")
    add("--peers", default=ROOT / "build/peers", help="folder of the peers [build/peers]")
    add("--threads", type=int, default=2)
    conditions = ",".join(busy.CONDITIONS)
    add(
        "--conditions",
        help=f"of busy, for all subjects [{conditions}; the peers' are the first four]",
    )
    add("--tokens", type=int, default=64, help="of each answer of a server [64]")
    for name, value in FULL.items():
        if isinstance(value, int):
            default = f"{value}, or {QUICK[name]} if quick"
            add(f"--{name.replace('_', '-')}", type=int, help=f"[{default}]")
    options = parser.parse_args()
    options.only = options.only.split(",")
    options.conditions = options.conditions and options.conditions.split(",")
    if unknown := [name for name in options.conditions or () if name not in busy.CONDITIONS]:
        parser.error(f"there is no condition {', '.join(unknown)}")
    if unknown := [name for name in options.only if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}")
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name, None) is None:
            setattr(options, name, value)
    return options


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def present(subjects):
    """The subjects whose files exist. Prints the names of the others."""
    found = []
    for subject in subjects:
        missing = [str(path) for path in subject.needs if not os.path.exists(path)]
        if missing:
            print(f"{subject.name} is absent: there is no {', '.join(missing)}")
        else:
            found.append(subject)
    return found


def measure_rounds(name, part, count):
    """The figures of each round of each subject, and the names of those that failed."""
    rounds = {subject.name: [] for subject in part.subjects}
    failed = set()
    for number in range(1, count + 1):
        for subject in part.subjects:
            if subject.name in failed:
                continue
            print(f"{name}, round {number} of {count}: {subject.name}", file=sys.stderr)
            try:
                rounds[subject.name].append(subject.measure())
            except (RuntimeError, ValueError, LookupError, OSError, TimeoutError) as error:
                print(f"{subject.name} is left out: {error}")
                failed.add(subject.name)
    return {name: of_subject for name, of_subject in rounds.items() if of_subject}, failed


def write_charts(folder, name, part, summary):
    title, medians = summary["title"], summary["medians"]
    if not part.lines:
        (folder / f"{name}.svg").write_text(chart.bars(title, part.figures, medians))
    for number, lines in enumerate(part.lines, 1):
        (folder / f"{name}-{number}.svg").write_text(chart.lines(title, lines, medians))


def measure_part(name, places, options):
    """Prints and draws the part's summary. Returns it, and True if all subjects were measured."""
    part = PARTS[name](places, options)
    part = dataclasses.replace(part, subjects=present(part.subjects))
    rounds, failed = measure_rounds(name, part, options.rounds)
    summary = report.summary_of(part, rounds)
    report.print_summary(part, summary)
    if options.out:
        write_charts(pathlib.Path(options.out), name, part, summary)
    return summary, not failed


def main():
    options = parse_arguments()
    if not os.path.exists(options.edgegate):
        sys.exit(f"compare: there is no {options.edgegate}; --help says how to build it")
    if options.out:
        pathlib.Path(options.out).mkdir(parents=True, exist_ok=True)
    places = peers.Places(options)
    result = {"cpu": processor(), "threads": options.threads, "rounds": options.rounds, "parts": {}}
    print("{cpu}, {threads} threads, rounds: {rounds}".format(**result))
    complete = True
    for name in options.only:
        result["parts"][name], measured = measure_part(name, places, options)
        complete = complete and measured
        if options.out:  # after each part, so that an interrupted run keeps its results
            path = pathlib.Path(options.out) / "compare.json"
            path.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
