#!/usr/bin/env python3
"""Records what a build answers, and compares another build with it, byte for byte.

    .venv/bin/python tests/golden/answers.py record build/answers.json --binary build/release/edgegate
    .venv/bin/python tests/golden/answers.py check build/answers.json --binary build/dev/edgegate

Covers text and images, INT8 and 4 bits, both types of KV cache, sampling with a seed, two choices,
structured output, log-probabilities, and each instruction set that this processor has. The answers
of different instruction sets may differ. Takes about four minutes.
"""

import argparse
import base64
import json
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "tests/golden/models"
VISION = ROOT / "tests/golden/vision"
SMOLLM2 = ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"
INSTRUCTION_SETS = ("scalar", "sse4", "avx2", "avx-vnni", "avx512", "avx512-vnni", "amx", "auto")
SLOW = ("scalar",)  # SmolLM2 takes minutes
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "n": {"type": "integer"}},
    "required": ["name", "n"],
}


def image_url(path):
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def chat(client, model, content, **more):
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": content}], logprobs=True, **more
    )
    return [choice.to_dict() for choice in answer.choices] + [answer.usage.to_dict()]


def text_answers(client, model, tokens):
    sampled = {"temperature": 0.9, "seed": 11, "n": 2, "top_logprobs": 3}
    prompt = "The lamp in the garden is"
    completion = client.completions.create(
        model=model, prompt=prompt, max_tokens=tokens, temperature=0, logprobs=5
    )
    plain = {"max_tokens": tokens, "temperature": 0, "top_logprobs": 5}
    structured = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    return {
        "greedy": chat(client, model, "Tell me about the garden.", **plain),
        "sampled": chat(client, model, "Name a colour.", max_tokens=tokens, **sampled),
        "structured": chat(
            client, model, "Who?", max_tokens=24, seed=3, response_format=structured
        ),
        "completion": [choice.to_dict() for choice in completion.choices],
    }


def image_answers(client, model, image, tokens):
    parts = [
        {"type": "image_url", "image_url": {"url": image_url(image)}},
        {"type": "text", "text": "What is it?"},
    ]
    return chat(client, model, parts, max_tokens=tokens, temperature=0, top_logprobs=5)


def answers_of(daemon, names, images):
    client = daemon.client()
    found = {}
    for name in names:
        tokens = 16 if name in ("smol", "demo") else 6
        found[name] = text_answers(client, name, tokens)
        if name == "demo" or name.startswith("v-"):
            for image in images:
                found[name][image.name] = image_answers(client, name, image, tokens)
    return found


def record(binary):
    os.environ["EDGEGATE_BIN"] = str(binary)
    sys.path.append(str(ROOT / "tests/api"))
    import conftest  # reads EDGEGATE_BIN

    images = sorted(VISION.glob("*.png"))[:2]
    tiny = {p.name: p for p in sorted(MODELS.iterdir()) if p.is_dir() or p.suffix == ".gguf"}
    tiny |= {f"v-{name}": VISION / name for name in ("glm-edge-v", "glm-edge-v-odd")}
    tiny["v-gguf"] = f"{VISION / 'glm-edge-v.gguf'}+{VISION / 'glm-edge-v.mmproj.gguf'}"
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        for isa in INSTRUCTION_SETS:
            for weights in ("int8", "int4"):
                for kv in ("bf16", "int8"):
                    models = dict(tiny)
                    if kv == "bf16":
                        models["demo"] = conftest.DEMO
                        if isa not in SLOW:
                            models["smol"] = SMOLLM2
                    name = f"{isa} {weights} kv-{kv}"
                    log = os.path.join(folder, "log")
                    arguments = [f"--model={key}={path}" for key, path in models.items()]
                    arguments += ["--engine.isa", isa, "--engine.weight_format", weights]
                    arguments += ["--engine.kv_cache_type", kv, "--engine.kv_cache_mb", "16"]
                    arguments += ["--engine.cache_dir", os.path.join(folder, "cache")]
                    try:
                        daemon = conftest.Daemon(*arguments, log=log)
                    except AssertionError as error:
                        if "engine.isa" not in str(error):
                            raise
                        print(f"{name}: skipped: this processor lacks it", flush=True)
                        continue
                    result[name] = answers_of(daemon, models, images)
                    daemon.stop()
                    print(f"{name}: {len(models)} models", flush=True)
    return result


def differences(before, after, path=""):
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from differences(before.get(key), after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{path}/{number}")
    elif before != after:
        yield f"{path}: {str(before)[:80]} -> {str(after)[:80]}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("record", "check"))
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--binary", default=ROOT / "build/release/edgegate", type=pathlib.Path)
    options = parser.parse_args()
    found = record(options.binary.resolve())
    if options.action == "record":
        options.file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        return 0
    different = list(differences(json.loads(options.file.read_text()), found))
    print(*different[:40], sep="\n")
    print(f"{len(found)} configurations, {len(different)} differences")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
