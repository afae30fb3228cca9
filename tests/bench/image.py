"""An image of 672 pixels and a short question, to the first token, at GLM-Edge-V-2B's dimensions."""

import asyncio
import functools
import json
import time

import client
import png_image
import process
from report import Figure, Part, Subject

SHAPE = "glm-edge-v-2b"
SIDE = 672
PROMPT = 590  # the image's 578 tokens and a question's 12
QUESTION = "1 2 3 4 5 6"  # tokens of the random models' vocabulary


def measure_edgegate(places, options):
    command = [places.edgegate, "bench", "--json", "--threads", options.threads]
    command += ["--shape", SHAPE, "--prompt", 256, "--gen", 12, "--batch", 1]
    out, memory = process.run(command)
    report = json.loads(out)
    image, beside = report["image"], report["stream_beside"]["image"]
    return {
        "encode": image["encode_s"],
        "prefill": image["first_token_s"] - image["encode_s"],
        "first": image["first_token_s"],
        "baseline_itl": beside["baseline_itl_s"] * 1e3,
        "itl_p99": beside["itl_p99_s"] * 1e3,
        "memory": memory,
    }


def measure_openvino(places, options):
    """The encoder, then the language model, in two programs. The adapter is not measured."""
    encoder = places.models / "openvino-image/encoder.xml"
    out, memory = places.openvino("peer_openvino_image.py", encoder, options.threads)
    encode = json.loads(out.splitlines()[-1])["encode"]
    text = places.models / "openvino-int8"
    out, more = places.openvino("peer_openvino.py", text, options.threads, 3, PROMPT, 2, 1)
    prefill = PROMPT / json.loads(out.splitlines()[-1])["prefill"]
    figures = {"encode": encode, "prefill": prefill, "first": encode + prefill}
    return figures | {"memory": memory + more}


def ask_twice(server):
    """Seconds to the first token of a new image, and of the same image again."""
    asyncio.run(client.ask(server.port, client.chat(QUESTION, 2)))
    time.sleep(5)  # leaves out the work of a server's first seconds
    body = client.chat(png_image.message(SIDE, 1, QUESTION), 2)
    first, again = (asyncio.run(client.ask(server.port, body)).first_s() for _ in range(2))
    return {"first": first, "again": again, "memory": server.peak_memory_mb()}


def measure_llama(places):
    projector = ("--mmproj", places.models / "mmproj.gguf")
    with places.llama_serve(places.models / "q8_0.gguf", 1, 4096, *projector) as server:
        return ask_twice(server)


def measure_served(places, options):
    with places.serve(options.vision_model) as server:
        return ask_twice(server)


def make(places, options):
    """Part "image"."""
    ours = "edgegate INT8"
    served = "edgegate serve"
    subjects = [
        Subject(ours, functools.partial(measure_edgegate, places, options)),
        Subject(
            "OpenVINO INT8",
            functools.partial(measure_openvino, places, options),
            ours,
            [
                places.openvino_python,
                places.models / "openvino-image/encoder.xml",
                places.models / "openvino-int8",
            ],
        ),
        Subject(
            "llama-server Q8_0, F16",
            functools.partial(measure_llama, places),
            ours,
            [
                places.llama / "llama-server",
                places.models / "q8_0.gguf",
                places.models / "mmproj.gguf",
            ],
        ),
    ]
    if options.vision_model:
        subjects.append(
            Subject(
                served,
                functools.partial(measure_served, places, options),
                ours,
                options.vision_model.split("+"),
            )
        )
    return Part(
        f"An image of {SIDE} pixels and a short question, {SHAPE}'s dimensions",
        subjects,
        [
            Figure("encode", "image encoder, s", less_is_better=True),
            Figure("prefill", f"prefill of {PROMPT}, s", less_is_better=True),
            Figure("first", "first token, s", less_is_better=True),
            Figure("again", "first token, the same image again, s", less_is_better=True),
            Figure("baseline_itl", "inter-token latency of a stream, ms", less_is_better=True),
            Figure("itl_p99", "p99 of it beside the image, ms", less_is_better=True),
            Figure("memory", "peak memory, MB", less_is_better=True),
        ],
    )
