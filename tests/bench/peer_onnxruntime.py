"""ONNX Runtime GenAI's side of compare.py, run by the Python that has onnxruntime_genai.

usage: peer_onnxruntime.py MODEL_FOLDER THREADS RUNS PROMPT GEN BATCH...; prints the figures as JSON.
THREADS 0: one for each processor that this process may use. RUNS: prefills after one that warms up.
Greedy sampling.
"""

import functools
import json
import sys
import time

import numpy as np
import onnxruntime_genai
import peer_steps


def load(folder, threads):
    session = {"intra_op_num_threads": threads, "inter_op_num_threads": 1}
    config = onnxruntime_genai.Config(folder)
    config.overlay(json.dumps({"model": {"decoder": {"session_options": session}}}))
    return onnxruntime_genai.Model(config)


def generate(model, random, sequences, prompt, new_tokens):
    """Seconds of each step; the prompt's ends with the first token."""
    length = prompt + new_tokens
    parameters = onnxruntime_genai.GeneratorParams(model)
    parameters.set_search_options(
        batch_size=sequences, max_length=length, min_length=length, do_sample=False
    )
    generator = onnxruntime_genai.Generator(model, parameters)
    tokens = random.integers(100, 40000, (sequences, prompt)).astype(np.int32)
    seconds = []
    start = time.perf_counter()
    generator.append_tokens(tokens)
    for _ in range(new_tokens):
        generator.generate_next_token()
        now = time.perf_counter()
        seconds.append(now - start)
        start = now
    return seconds


def main():
    folder, threads = sys.argv[1:3]
    runs, prompt, gen, *batches = map(int, sys.argv[3:])
    start = time.perf_counter()
    model = load(folder, peer_steps.thread_count(threads))
    figures = {"load": time.perf_counter() - start, "version": onnxruntime_genai.__version__}
    run = functools.partial(generate, model, np.random.default_rng(1))
    print(json.dumps(figures | peer_steps.measure(run, runs, prompt, gen, batches)))


if __name__ == "__main__":
    main()
