"""OpenVINO's side of compare.py's part "image", run by the Python that has openvino.

usage: peer_openvino_image.py ENCODER.xml THREADS; prints as JSON the seconds that one image takes.
"""

import json
import statistics
import sys
import time

import numpy as np
import openvino

SIDE = 672


def main():
    encoder, threads = sys.argv[1], int(sys.argv[2])
    model = openvino.Core().compile_model(encoder, "CPU", {"INFERENCE_NUM_THREADS": threads})
    pixels = np.random.default_rng(1).standard_normal((1, 3, SIDE, SIDE), dtype=np.float32)
    seconds = []
    for _ in range(4):
        start = time.perf_counter()
        model(pixels)
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"encode": statistics.median(seconds[1:])}))  # the first one warms up


if __name__ == "__main__":
    main()
