"""edgegate and its peers beside busy processes, with a quota, on one processor, beside a daemon."""

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

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import cgroups
import process
from report import Figure, Part, Subject, medians_of

COMES_AND_GOES_S = 2
BATCHES = (1, 8)
PROCESSORS = len(os.sched_getaffinity(0))
RUN_LIMIT_S = 180  # of each command
LEFT_OUT = ("OpenVINO GenAI INT4",)  # as fast as its INT8; left out to keep a round short


@contextlib.contextmanager
def busy(count):
    """Runs `count` processes that spin."""
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
    """Busy processes, one for each processor, are stopped and continued in turn."""
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
    """Prefix of a command that limits it to the time of one processor; None if no cgroup can be made."""
    group = cgroups.make_quota(f"edgegate-bench-{os.getpid()}", 1)
    if group is None:
        yield None
        return
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        group.rmdir()


NEIGHBOURS = {
    "alone": contextlib.nullcontext,
    "n": functools.partial(busy, PROCESSORS),
    "2n": functools.partial(busy, 2 * PROCESSORS),
    "turns": coming_and_going,
}
CONDITIONS = (*NEIGHBOURS, "quota", "one", "two")


def edgegate(places, options, weights, threads=0):
    """A function of the number of processors that gives the command. `threads` 0: edgegate chooses."""
    command = [places.edgegate, "bench", "--json", "--threads", threads]
    command += ["--model", options.model] if options.model else ["--shape", options.shape]
    command += ["--format", weights, "--prompt", options.busy_prompt, "--gen", options.busy_gen]
    command += ["--brief", "--batch", ",".join(map(str, BATCHES))]
    return lambda processors: command


def figures_of_edgegate(out):
    report = json.loads(out)
    figures = {"prefill": report["prefill_tok_s"], "step": 1e3 / report["decode"][0]["tok_s"]}
    for decode in report["decode"]:
        figures[f"decode_{decode['batch']}"] = decode["mean_tok_s"]
    if "image" in report:
        figures["image"] = 1 / report["image"]["encode_s"]
    return figures | {"p99": report["decode"][0]["step_p99_s"] * 1e3}


def runtime(command, options):
    """A function of the number of processors that gives the command of a peer in Python."""
    numbers = (1, options.busy_prompt, options.busy_gen, *BATCHES)
    return lambda processors: [*command, processors, *numbers]


def figures_of_runtime(out):
    report = json.loads(out.splitlines()[-1])
    figures = {"prefill": report["prefill"], "step": 1e3 / report["decode_1"]}
    figures |= {f"decode_{batch}": report[f"mean_{batch}"] for batch in BATCHES}
    return figures | {"p99": report["p99_1"]}


def llama(places, options, weights):
    """A function of the number of processors that gives the command, with a thread for each."""
    command = [places.llama / "llama-bench", "-m", places.models / f"{weights}.gguf", "-r", 1]
    command += ["-p", options.busy_prompt, "-n", options.busy_gen, "-o", "json"]
    return lambda processors: [*command, "-t", processors]


def figures_of_llama(out):
    return {"decode_1" if row["n_gen"] else "prefill": row["avg_ts"] for row in json.loads(out)}


def run_two(command):
    """Runs the command twice at once and returns both outputs."""
    with concurrent.futures.ThreadPoolExecutor(2) as both:
        runs = [both.submit(process.run, command, limit_s=RUN_LIMIT_S) for _ in range(2)]
        return [run.result()[0] for run in runs]


@contextlib.contextmanager
def skipped_if_late(name, condition):
    """Prints and skips a condition that the subject does not finish in time."""
    try:
        yield
    except TimeoutError as error:
        print(f"{name}, condition {condition}, is left out: {error}")


class Measurement:
    """The figures of one subject, by their names and conditions, such as "prefill@alone"."""

    def __init__(self, name, make_command, read):
        self.name = name
        self.make_command = make_command
        self.read = read
        self.figures = {}

    def add(self, condition, *prefix, processors=PROCESSORS):
        command = [*prefix, *self.make_command(processors)]
        with skipped_if_late(self.name, condition):
            self._keep(condition, self.read(process.run(command, limit_s=RUN_LIMIT_S)[0]))

    def add_two(self):
        """Adds the sums of two programs that run at once."""
        with skipped_if_late(self.name, "two"):
            one, other = map(self.read, run_two(self.make_command(PROCESSORS)))
            rates = [key for key in one if key not in ("step", "p99")]
            self._keep("two", {key: one[key] + other[key] for key in rates})

    def add_limited(self, condition):
        """Adds the conditions "quota", "one" and "two"."""
        if condition == "two":
            self.add_two()
        elif condition == "one":
            self.add("one", "taskset", "-c", min(os.sched_getaffinity(0)), processors=1)
        else:
            with quota_of_one() as prefix:
                if prefix:
                    self.add("quota", *prefix)

    def _keep(self, condition, figures):
        self.figures |= {f"{key}@{condition}": value for key, value in figures.items()}


def measure(name, make_command, read, conditions):
    """`make_command` takes the number of processors that the command may use."""
    measured = Measurement(name, make_command, read)
    for condition in conditions:
        if condition in NEIGHBOURS:
            with NEIGHBOURS[condition]():
                measured.add(condition)
        else:
            measured.add_limited(condition)
    return measured.figures


FAIR = {  # share of the processors that the kernel gives to the program
    "n": 1 / 2,
    "2n": 1 / 3,
    "turns": (1 + 1 / 2) / 2,
}


def shares(rounds):
    """Sentences: throughput of edgegate in each condition, relative to its fair share."""
    sentences = []
    for weights in ("INT8", "INT4"):
        name = f"edgegate {weights}"
        if rounds.get(name):
            one = rounds.get(f"{name}, 1 thread")
            sentences += shares_of(name, medians_of(rounds[name]), one and medians_of(one))
    return sentences


def shares_of(name, ours, one):
    sentences = []
    for figure in ("prefill", *(f"decode_{batch}" for batch in BATCHES), "image"):
        alone = f"{figure}@alone"
        if alone not in ours:
            continue
        parts = {
            **{c: (f"{figure}@{c}", ours[alone] * share) for c, share in FAIR.items()},
            "two together": (f"{figure}@two", ours[alone]),
        }
        if one:
            for c in ("quota", "one"):
                parts[f"{c} of one thread"] = (f"{figure}@{c}", one.get(alone, 0))
        of = [
            f"{label} {ours[key] / whole:.0%}"
            for label, (key, whole) in parts.items()
            if whole and key in ours
        ]
        if of:
            sentences.append(f"{name}: {figure}, of the fair share: {', '.join(of)}")
    median = ours.get("step@alone")
    of = [f"{c} {ours[f'p99@{c}'] / median:.1f}" for c in FAIR if median and f"p99@{c}" in ours]
    if of:
        sentences.append(f"{name}: p99 step of 1, in medians of alone: {', '.join(of)}")
    return sentences


def subjects_of(places, options):
    all_conditions = options.conditions or CONDITIONS
    neighbours = options.conditions or tuple(NEIGHBOURS)
    subjects = []

    def add(name, make_command, read, conditions, base=None, needs=()):
        run = functools.partial(measure, name, make_command, read, conditions)
        subjects.append(Subject(name, run, base, needs))

    for weights, gguf in (("int8", "q8_0"), ("int4", "q4_0")):
        ours = f"edgegate {weights.upper()}"
        command = edgegate(places, options, weights)
        add(ours, command, figures_of_edgegate, all_conditions)
        command = edgegate(places, options, weights, threads=1)
        add(f"{ours}, 1 thread", command, figures_of_edgegate, neighbours, ours)
        for name, command, needs in places.runtimes(weights):
            if name in LEFT_OUT:
                continue
            add(name, runtime(command, options), figures_of_runtime, neighbours, ours, needs)
        needs = [places.llama / "llama-bench", places.models / f"{gguf}.gguf"]
        name = f"llama.cpp {gguf.upper()}"
        add(name, llama(places, options, gguf), figures_of_llama, neighbours, ours, needs)
    return subjects


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
    names = {"prefill": f"prefill of {options.busy_prompt}, tok/s"}
    names |= {f"decode_{batch}": f"decode of {batch}, tok/s" for batch in BATCHES}
    names |= {"image": "images encoded/s"}
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
    subject = options.model or f"{options.shape}'s dimensions"
    title = f"Beside other programs, {subject}"
    return Part(title, subjects_of(places, options), figures, remarks=shares)
