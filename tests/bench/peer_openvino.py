"""OpenVINO GenAI's side of compare.py, run by the Python that has openvino_genai.

usage: peer_openvino.py MODEL_FOLDER THREADS PROMPT GEN BATCH...; prints the figures as JSON.
Continuous batching, greedy sampling, no prefix cache; steps are timed as `edgegate bench` does.
"""

import json
import statistics
import sys
import time

import numpy as np
import openvino
import openvino_genai

SHORT = 16  # tokens of the prompts before decoding
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
    handles = []  # a request whose handle is gone is dropped
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
    folder = sys.argv[1]
    threads, prompt, gen, *batches = map(int, sys.argv[2:])
    start = time.perf_counter()
    tokens = max(prompt, max(batches) * (SHORT + gen + 1))
    pipeline = make_pipeline(folder, threads, tokens, max(batches))
    figures = {"load": time.perf_counter() - start, "version": openvino_genai.__version__}
    random = np.random.default_rng(1)
    prefills = [sum(generate(pipeline, random, 1, prompt, 1)) for _ in range(4)]
    figures["prefill"] = prompt / statistics.median(prefills[1:])  # the first one warms up
    for batch in batches:
        steps = generate(pipeline, random, batch, SHORT, gen + 1)[-gen:]
        figures[f"decode_{batch}"] = batch / statistics.median(steps)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
