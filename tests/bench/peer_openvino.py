"""OpenVINO GenAI's side of compare.py, run by the Python that has openvino_genai.

usage: peer_openvino.py MODEL_FOLDER THREADS RUNS PROMPT GEN BATCH...; prints the figures as JSON.
THREADS 0: one for each processor that this process may use. RUNS: prefills after one that warms up.
Continuous batching, greedy sampling, no prefix cache.
"""

import functools
import json
import sys
import time

import numpy as np
import openvino
import openvino_genai
import peer_steps

KV_BLOCK = 32  # tokens of a block of OpenVINO's KV cache on a CPU


def make_pipeline(folder, threads, tokens, sequences):
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.num_kv_blocks = tokens // KV_BLOCK + 2 * sequences  # what the runs need, no more
    scheduler.max_num_batched_tokens = 512
    scheduler.enable_prefix_caching = False
    properties = {"INFERENCE_NUM_THREADS": threads}
    return openvino_genai.ContinuousBatchingPipeline(folder, scheduler, "CPU", properties)


def generate(pipeline, random, sequences, prompt, new_tokens):
    """Seconds of each step."""
    config = openvino_genai.GenerationConfig()
    config.max_new_tokens = new_tokens
    config.ignore_eos = True
    config.do_sample = False
    handles = []  # a request is dropped when its handle is destroyed
    for i in range(sequences):
        tokens = random.integers(100, 40000, (1, prompt)).astype(np.int64)
        handles.append(pipeline.add_request(i, openvino.Tensor(tokens), config))
    seconds = []
    while pipeline.has_non_finished_requests():
        start = time.perf_counter()
        pipeline.step()
        seconds.append(time.perf_counter() - start)
    return seconds


def main():
    folder, threads = sys.argv[1:3]
    runs, prompt, gen, *batches = map(int, sys.argv[3:])
    start = time.perf_counter()
    tokens = max(prompt, max(batches) * (peer_steps.SHORT + gen + 1))
    pipeline = make_pipeline(folder, peer_steps.thread_count(threads), tokens, max(batches))
    figures = {"load": time.perf_counter() - start, "version": openvino_genai.__version__}
    run = functools.partial(generate, pipeline, np.random.default_rng(1))
    print(json.dumps(figures | peer_steps.measure(run, runs, prompt, gen, batches)))


if __name__ == "__main__":
    main()
