"""The cases that embeddings.py and its peers compute, and the time that they take."""

import pathlib
import random
import statistics
import time

SHORT = "Turn the lights in the kitchen off, please."


def batch(count=256, longest=60):
    """Texts of 3 to `longest` words. They are the same in each run."""
    words = (pathlib.Path(__file__).resolve().parent / "quality.txt").read_text().split()
    generator = random.Random(1)
    return [" ".join(generator.choices(words, k=generator.randint(3, longest))) for _ in range(count)]


# Name: texts, and the runs of one measurement.
CASES = {"short": ([SHORT], 40), "batch": (batch(), 1)}


def measure(embed, case):
    """Median seconds of the runs, after a short one that warms up."""
    texts, runs = CASES[case]
    embed([SHORT])
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        embed(texts)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
