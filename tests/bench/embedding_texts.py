"""The texts that embeddings.py and its peers compute."""

import pathlib
import random

SHORT = "Turn the lights in the kitchen off, please."


def batch(count=256, longest=60):
    """Texts of 3 to `longest` words. They are the same in each run."""
    words = (pathlib.Path(__file__).resolve().parent / "quality.txt").read_text().split()
    generator = random.Random(1)
    return [" ".join(generator.choices(words, k=generator.randint(3, longest))) for _ in range(count)]
