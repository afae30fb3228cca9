#!/usr/bin/env python3
"""Records tokens, log-probabilities, embeddings and bundles, and compares another processor's with them, bit for bit.

    .venv/bin/python tests/golden/processors.py record --binary build/dev/edgegate
    .venv/bin/python tests/golden/processors.py check --binary build/dev/edgegate --isa sse4 avx2
    .venv/bin/python tests/golden/processors.py check --binary build/dev/edgegate \\
        --emulator "qemu-x86_64-static -cpu Nehalem"

scripts/test-processors runs it for x86 without AVX, and scripts/test-arm64 for ARM.

The file processors.json is checked in. Each instruction set and each processor must reproduce it. The models are
quantized by the program under test, and the file has the hashes of their bundles. Numbers in JSON have the digits that
give the same float again.
"""

import argparse
import base64
import hashlib
import json
import os
import pathlib
import stat
import sys
import tempfile

from answers import differences

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/golden/processors.json"
QUESTION = "Which lamp is on?"
# Each configuration: the type of the weights, the type of the KV cache, and the models besides the demo.
CONFIGURATIONS = {
    "int8": ("int8", "bf16"),
    "int4": ("int4", "bf16"),
    "int8-kv-int8": ("int8", "int8"),
}
CHECKPOINTS = {
    "glm-edge": ROOT / "tests/golden/models/glm-edge",
    "glm-edge-v": ROOT / "tests/golden/vision/glm-edge-v",
    "qwen3": ROOT / "tests/golden/models/qwen3",
    "bert": ROOT / "tests/golden/embeddings/bert",
}


def image_part(path):
    data = base64.b64encode(path.read_bytes()).decode()
    return {"type": "image_url", "image_url": {"url": "data:image/png;base64," + data}}


def ask(client, model, content, tokens, **more):
    answer = client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": content}],
        max_tokens=tokens,
        logprobs=True,
        top_logprobs=3,
        extra_body={"return_tokens_as_token_ids": True},
        **more,
    )
    return [
        [token.token, token.logprob, [[top.token, top.logprob] for top in token.top_logprobs]]
        for token in answer.choices[0].logprobs.content
    ]


def answers_of(client, names):
    found = {}
    for name in names:
        if name == "bert":
            vector = client.embeddings.create(
                model=name, input=QUESTION, encoding_format="float"
            ).data[0]
            found[name] = vector.embedding
            continue
        tokens = 12 if name == "demo" else 5
        found[f"{name} greedy"] = ask(client, name, QUESTION, tokens, temperature=0)
        found[f"{name} long"] = ask(client, name, QUESTION * 12, 3, temperature=0)
        found[f"{name} sampled"] = ask(client, name, "Hi", tokens, temperature=0.9, seed=7)
        if name in ("demo", "glm-edge-v"):
            image = ROOT / "tests/golden/vision/wide.png"
            parts = [image_part(image), {"type": "text", "text": "What is it?"}]
            found[f"{name} image"] = ask(client, name, parts, tokens, temperature=0)
    return found


def answers(conftest, demo, isa, folder, configurations=tuple(CONFIGURATIONS)):
    """The answers of the program at a level, or None if the processor lacks the level."""
    found = {}
    for name in configurations:
        weights, kv = CONFIGURATIONS[name]
        models = {"demo": demo} | CHECKPOINTS
        if name != "int8":
            del models["bert"]
        arguments = [f"--model={key}={path}" for key, path in models.items()]
        arguments += ["--engine.isa", isa, "--engine.weight_format", weights]
        arguments += ["--engine.kv_cache_type", kv, "--engine.kv_cache_mb", "16"]
        cache = pathlib.Path(folder) / f"cache-{isa}-{name}"
        arguments += ["--engine.cache_dir", str(cache)]
        try:
            daemon = conftest.Daemon(*arguments, log=os.path.join(folder, "log"))
        except AssertionError as error:
            if "engine.isa" in str(error):
                return None
            raise
        try:
            found[name] = answers_of(daemon.client(), models)
        finally:
            daemon.stop()
        bundles = (file.read_bytes() for file in cache.glob("*.edgegate"))
        found[name]["bundles"] = sorted(hashlib.sha256(bundle).hexdigest() for bundle in bundles)
    return found


def emulated(binary, emulator, folder):
    """A program that runs the binary in the emulator."""
    path = pathlib.Path(folder) / "edgegate"
    path.write_text(f'#!/bin/sh\nexec {emulator} {binary} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("record", "check"))
    parser.add_argument("--binary", default=ROOT / "build/release/edgegate", type=pathlib.Path)
    parser.add_argument("--isa", nargs="+", default=["auto"])
    parser.add_argument("--emulator", help="a command that runs the binary")
    parser.add_argument("--configuration", nargs="+", default=list(CONFIGURATIONS))
    options = parser.parse_args()
    binary = options.binary.resolve()
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        program = emulated(binary, options.emulator, folder) if options.emulator else binary
        os.environ["EDGEGATE_BIN"] = str(program)
        sys.path.append(str(ROOT / "tests/api"))
        import conftest  # reads EDGEGATE_BIN

        demo = binary.parent / "edge-demo-v.edgegate"
        for isa in options.isa:
            found = answers(conftest, demo, isa, folder, options.configuration)
            if found is None:
                print(f"{isa}: skipped: this processor lacks it", flush=True)
                continue
            if options.action == "record":
                GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
                return 0
            want = json.loads(GOLDEN.read_text())
            want = {name: want[name] for name in options.configuration}
            different = list(differences(want, found))
            print(*different[:20], sep="\n")
            print(f"{isa}: {len(different)} differences", flush=True)
            status |= bool(different)
    return status


if __name__ == "__main__":
    sys.exit(main())
