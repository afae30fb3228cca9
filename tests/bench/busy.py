"""edgegate and its peers beside neighbours: busy processes, a quota, one processor, another daemon."""

import concurrent.futures
import contextlib
import functools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import process
from report import Figure, Part, Subject, medians_of

COMES_AND_GOES_S = 2
BATCHES = (1, 8)
PROCESSORS = len(os.sched_getaffinity(0))
CGROUPS = pathlib.Path("/sys/fs/cgroup")


@contextlib.contextmanager
def busy(count):
    """So many processes that never rest."""
    spin = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(spin) for _ in range(count)]
    try:
        yield running
    finally:
        for child in running:
            child.kill()
            child.wait()


@contextlib.contextmanager
def coming_and_going():
    """Busy processes, one for each processor, rest and work in turn."""
    with busy(PROCESSORS) as running:
        ended = threading.Event()

        def turn():
            resting = False
            while not ended.wait(COMES_AND_GOES_S):
                resting = not resting
                for child in running:
                    child.send_signal(signal.SIGSTOP if resting else signal.SIGCONT)

        turner = threading.Thread(target=turn)
        turner.start()
        try:
            yield
        finally:
            ended.set()
            turner.join()


@contextlib.contextmanager
def quota_of_one():
    """The prefix of a command that is then allowed the time of one processor."""
    if (CGROUPS / "cgroup.controllers").exists():
        group, file, value = CGROUPS / "edgegate-bench", "cpu.max", "100000 100000"
    else:
        group, file, value = CGROUPS / "cpu/edgegate-bench", "cpu.cfs_quota_us", "100000"
    group.mkdir(exist_ok=True)
    try:
        (group / file).write_text(value)
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        group.rmdir()


def edgegate(places, options, threads):
    """The command; `threads`: 0: as edgegate chooses."""
    command = [places.edgegate, "bench", "--json", "--threads", threads, "--shape", options.shape]
    command += ["--prompt", options.prompt, "--gen", options.gen]
    return [*command, "--batch", ",".join(map(str, BATCHES))]


def figures_of_edgegate(out, condition):
    report = json.loads(out)
    figures = {f"prefill@{condition}": report["prefill_tok_s"]}
    for decode in report["decode"]:
        figures[f"decode_{decode['batch']}@{condition}"] = decode["mean_tok_s"]
    figures[f"p99@{condition}"] = report["decode"][0]["step_p99_s"] * 1e3
    return figures


def llama(places, options, threads):
    command = [places.llama / "llama-bench", "-m", places.models / "q8_0.gguf", "-t"]
    return [*command, threads or PROCESSORS, "-p", options.prompt, "-n", options.gen, "-o", "json"]


def figures_of_llama(out, condition):
    figures = {}
    for row in json.loads(out):
        name = "decode_1" if row["n_gen"] else "prefill"
        figures[f"{name}@{condition}"] = row["avg_ts"]
    return figures


def run_two(command):
    """Two of them at once."""
    with concurrent.futures.ThreadPoolExecutor(2) as both:
        return [run.result()[0] for run in [both.submit(process.run, command) for _ in range(2)]]


def measure(make_command, read, places, options, threads=0):
    command = make_command(places, options, threads)
    figures = {}

    def add(condition, *prefix):
        figures.update(read(process.run([*prefix, *command])[0], condition))

    add("alone")
    for count, condition in ((PROCESSORS, "n"), (2 * PROCESSORS, "2n")):
        with busy(count):
            add(condition)
    with coming_and_going():
        add("turns")
    if threads:
        return figures
    with contextlib.suppress(OSError), quota_of_one() as prefix:  # not everybody may make cgroups
        add("quota", *prefix)
    add("one", "taskset", "-c", min(os.sched_getaffinity(0)))
    two = [read(out, "two") for out in run_two(command)]
    together = {key: sum(figures[key] for figures in two) for key in two[0] if "p99" not in key}
    return figures | together


def shares(rounds):
    """The targets: what of its fair share each condition keeps."""
    name = "edgegate"
    if name not in rounds or "edgegate, 1 thread" not in rounds:
        return []
    ours, one = medians_of(rounds[name]), medians_of(rounds["edgegate, 1 thread"])
    n = PROCESSORS
    fair = {"n": n / (n + n), "2n": n / (n + 2 * n), "turns": (1 + n / (n + n)) / 2}
    sentences = []
    for figure in ("prefill", *(f"decode_{batch}" for batch in BATCHES)):
        alone = ours[f"{figure}@alone"]
        of = [f"{c} {100 * ours[f'{figure}@{c}'] / (alone * share):.0f} %" for c, share in fair.items()]
        of += [
            f"{c} of one thread {100 * ours[f'{figure}@{c}'] / one[f'{figure}@alone']:.0f} %"
            for c in ("quota", "one")
            if f"{figure}@{c}" in ours
        ]
        of += [f"two together {100 * ours[f'{figure}@two'] / alone:.0f} %"]
        sentences.append(f"{figure}, of the fair share: {', '.join(of)}")
    return sentences


def make(places, options):
    """Part "busy"."""
    labels = {
        "alone": "alone",
        "n": f"beside {PROCESSORS} busy processes",
        "2n": f"beside {2 * PROCESSORS}",
        "turns": f"beside {PROCESSORS} that come and go every {COMES_AND_GOES_S} s",
        "quota": "with a quota of one processor",
        "one": "with affinity to one processor",
        "two": "two at once, together",
    }
    names = {"prefill": f"prefill of {options.prompt}, tok/s"}
    names |= {f"decode_{batch}": f"decode of {batch}, tok/s" for batch in BATCHES}
    figures = [
        Figure(f"{key}@{condition}", f"{name}, {label}")
        for key, name in names.items()
        for condition, label in labels.items()
    ]
    figures += [
        Figure(f"p99@{condition}", f"p99 step of 1, ms, {label}", less_is_better=True)
        for condition, label in labels.items()
        if condition != "two"
    ]
    run = functools.partial(measure, edgegate, figures_of_edgegate, places, options)
    peer = functools.partial(measure, llama, figures_of_llama, places, options)
    return Part(
        f"Beside neighbours, {options.shape}'s dimensions",
        [
            Subject("edgegate", run),
            Subject("edgegate, 1 thread", functools.partial(run, 1), "edgegate"),
            Subject("llama.cpp Q8_0", peer, "edgegate",
                    (places.llama / "llama-bench", places.models / "q8_0.gguf")),
        ],
        figures,
        remarks=shares,
    )
