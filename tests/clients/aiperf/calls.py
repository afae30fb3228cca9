"""aiperf: a short benchmark of each type of endpoint that edgegate has."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from harness import CHAT, EMBED, URL, VISION, call, main

# aiperf finds a local tokenizer only if it may ask a hub. It gets an address that refuses.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
ENVIRONMENT["HF_ENDPOINT"] = "http://127.0.0.1:9"
PROGRAM = pathlib.Path(sys.executable).with_name("aiperf")


def profile(kind, model=CHAT, *more):
    with tempfile.TemporaryDirectory() as folder:
        command = [PROGRAM, "profile", "--model", model, "--url", URL, "--endpoint-type", kind]
        command += ["--tokenizer", os.environ["EDGEGATE_TOKENIZER"], "--ui", "none"]
        command += ["--request-count", "4", "--concurrency", "2", "--workers-max", "1"]
        command += ["--prompt-input-tokens-mean", "24", "--prompt-output-tokens-mean", "8"]
        command += [
            "--no-gpu-telemetry",
            "--no-server-metrics",
            "--output-artifact-dir",
            folder,
            *more,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=ENVIRONMENT)
        found = list(pathlib.Path(folder).rglob("profile_export_aiperf.json"))
        assert done.returncode == 0 and found, (done.stdout + done.stderr)[-600:]
        result = json.loads(found[0].read_text())
    assert result["request_count"]["avg"] == 4, result["request_count"]
    assert not result.get("error_summary"), result["error_summary"]
    return "4 requests without an error"


@call
def chat():
    return profile("chat", CHAT, "--streaming")


@call
def chat_with_usage_of_each_chunk():
    return profile("chat", CHAT, "--streaming", "--use-server-token-count", "--per-chunk-usage")


@call
def chat_with_images():
    images = ["--image-width-mean", "64", "--image-height-mean", "64"]
    return profile("chat", VISION, "--streaming", *images)


@call
def completions():
    return profile("completions", CHAT, "--streaming")


@call
def responses():
    return profile("responses", CHAT, "--streaming")


@call
def messages():
    return profile("messages", CHAT, "--streaming")


@call
def embeddings():
    return profile("embeddings", EMBED)


@call
def cohere_rankings():
    return profile("cohere-rankings", EMBED)


main("aiperf")
