"""guidellm: a short benchmark over each endpoint that it knows, with streams."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from harness import CHAT, EMBED, URL, call, main

PROGRAM = pathlib.Path(sys.executable).with_name("guidellm")


def benchmark(
    path, model=CHAT, data="kind=synthetic_text,prompt_tokens=24,output_tokens=8", backend=""
):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [PROGRAM, "run", "--disable-console"]
        command += [
            "--backend",
            f"kind=openai_http,target={URL},model={model},request_format={path}{backend}",
        ]
        command += [
            "--profile",
            "kind=concurrent,streams=2",
            "--constraint",
            "kind=max_requests,count=4",
        ]
        command += ["--tokenizer", f"kind=hf_auto,model={os.environ['EDGEGATE_TOKENIZER']}"]
        command += ["--data", data, "--output", f"kind=json,path={report}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0 and report.exists(), (done.stdout + done.stderr)[-600:]
        totals = json.loads(report.read_text())["benchmarks"][0]["metrics"]["request_totals"]
    assert totals["successful"] == 4 and totals["errored"] == 0, totals
    return "4 requests without an error"


@call
def chat_completions():
    return benchmark("/v1/chat/completions")


@call
def chat_completions_whole():
    return benchmark("/v1/chat/completions", backend=",stream=false")


@call
def completions():
    return benchmark("/v1/completions")


@call
def responses():
    return benchmark("/v1/responses")


@call
def embeddings():
    return benchmark("/v1/embeddings", EMBED, "kind=synthetic_text,prompt_tokens=24")


main("guidellm")
