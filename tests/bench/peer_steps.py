"""Figures of a peer's prefill and decoding steps, timed as `edgegate bench` does."""

import os
import statistics

SHORT = 16  # tokens of the prompts before decoding


def thread_count(argument):
    """The number of threads; 0 means one for each processor that this process may use."""
    return int(argument) or len(os.sched_getaffinity(0))


def figures_of(batch, seconds):
    """Gives the median's and the mean's tok/s of steps of so many sequences, and the p99 step."""
    ordered = sorted(seconds)
    return {
        f"decode_{batch}": batch / statistics.median(seconds),
        f"mean_{batch}": batch * len(seconds) / sum(seconds),
        f"p99_{batch}": 1e3 * ordered[(len(ordered) - 1) * 99 // 100],  # ms
    }


def measure(generate, runs, prompt, gen, batches):
    """`generate(sequences, prompt, new_tokens)` gives the seconds of each step. `runs`: prefills."""
    prefills = [sum(generate(1, prompt, 1)) for _ in range(1 + runs)]
    figures = {"prefill": prompt / statistics.median(prefills[1:])}  # without the first one, which warms up
    for batch in batches:
        figures |= figures_of(batch, generate(batch, SHORT, gen + 1)[-gen:])
    return figures
