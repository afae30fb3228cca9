"""Tiny random checkpoints against float32 transformers (tests/golden/models/make.py), over HTTP."""

import json
import pathlib
import shutil
import struct

import pytest
from conftest import Daemon, ROOT, check_differences, differences

FOLDER = ROOT / "tests/golden/models"
WHOLE = sorted(p.name for p in FOLDER.iterdir() if p.is_dir() or p.suffix == ".gguf")
SHARDED = "qwen3.sharded"
MODELS = [*WHOLE, SHARDED]


def shard(source, target):
    """The same checkpoint with its tensors in two files and an index."""
    shutil.copytree(source, target)
    (target / "model.safetensors").unlink()
    data = (source / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    header.pop("__metadata__", None)
    weight_map = {}
    for part in range(2):
        name, tensors, bytes_ = f"model-{part + 1:05}-of-00002.safetensors", {}, b""
        for tensor in sorted(header)[part::2]:
            begin, end = header[tensor]["data_offsets"]
            offsets = [len(bytes_), len(bytes_) + end - begin]
            tensors[tensor] = {**header[tensor], "data_offsets": offsets}
            bytes_ += body[begin:end]
            weight_map[tensor] = name
        text = json.dumps(tensors).encode()
        (target / name).write_bytes(struct.pack("<Q", len(text)) + text + bytes_)
    (target / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))


@pytest.fixture(scope="module")
def zoo(tmp_path_factory, cache):
    sharded = tmp_path_factory.mktemp("sharded") / "qwen3"
    shard(FOLDER / "qwen3", sharded)
    arguments = [f"--model={name}={FOLDER / name}" for name in WHOLE]
    arguments.append(f"--model={SHARDED}={sharded}")
    log = str(tmp_path_factory.mktemp("zoo") / "log")
    sizes = ["--engine.kv_cache_mb", "16"]
    running = Daemon(*arguments, *sizes, "--engine.cache_dir", cache, log=log)
    yield running
    assert running.stop() == 0


def golden(name):
    return json.loads((FOLDER / f"{pathlib.Path(name).stem}.json").read_text())


def test_every_family_has_a_golden():
    assert len(MODELS) >= 13


@pytest.mark.parametrize("name", MODELS)
def test_log_probabilities_are_near_float32(zoo, name):
    client, found = zoo.client(), []
    for prompt in golden(name)["prompts"]:
        answer = client.completions.create(
            model=name,
            prompt=prompt["ids"],
            max_tokens=1,
            temperature=0,
            logprobs=20,
            extra_body={"return_tokens_as_token_ids": True},
        )
        ours = answer.choices[0].logprobs.top_logprobs[0]
        found += differences(ours, prompt["top"])
    check_differences(found, 4)


@pytest.mark.parametrize("name", MODELS)
def test_token_ids_equal_transformers(zoo, name):
    client = zoo.client()
    extra = {"return_token_ids": True, "add_generation_prompt": False}
    prefix = None
    for text in golden(name)["texts"]:
        raw = client.completions.create(
            model=name, prompt=text["text"], max_tokens=1, extra_body={"return_token_ids": True}
        )
        assert raw.choices[0].model_extra["prompt_token_ids"] == text["parsed"]
        chat = client.chat.completions.create(
            model=name,
            messages=[{"role": "user", "content": "x" + text["text"]}],
            max_tokens=1,
            extra_body=extra,
        )
        ids = chat.model_extra["prompt_token_ids"]
        prefix = prefix or ids[:1]
        # Only the template writes a special token, <|user|>. Text of the user makes none.
        specials = {i for i in text["parsed"] if i not in text["plain"]}
        assert ids[:1] == prefix and not specials & set(ids[1:])
