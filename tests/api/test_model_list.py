"""The members that clients read about models: /v1/models, /props and /version."""

import json
import os
import pathlib
import urllib.error
import urllib.request

import pytest
from conftest import DEMO, MODEL, ROOT, Daemon

MINILM = os.environ.get("EDGEGATE_MINILM", str(ROOT / "models/all-MiniLM-L6-v2"))
QWEN = ROOT / "tests/golden/embeddings/qwen3-embedding"


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    log = str(tmp_path_factory.mktemp("list") / "log")
    models = {"smol": MODEL, "demo": DEMO, "minilm": MINILM, "qwen": QWEN}
    arguments = [f"--model={name}={path}" for name, path in models.items()]
    sizes = ["--engine.kv_cache_mb", "64", "--engine.max_num_seqs", "5"]
    running = Daemon(*arguments, *sizes, "--engine.cache_dir", cache, log=log)
    yield running
    assert running.stop() == 0


def get(site, path):
    """Status and JSON of the answer."""
    try:
        with urllib.request.urlopen(site.url + path) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture(scope="module")
def models(site):
    return {model["id"]: model for model in get(site, "/v1/models")[1]["data"]}


def test_openai_clients_list_models(site):
    listed = site.client().models.list().data
    assert [model.id for model in listed] == ["smol", "demo", "minilm", "qwen"]
    assert all(model.object == "model" and model.owned_by == "edgegate" for model in listed)
    assert site.client().models.retrieve("demo").model_dump() == listed[1].model_dump()
    assert get(site, "/models") == get(site, "/v1/models")


def test_members_of_vllm_and_llama_cpp(models):
    for name, model in models.items():
        assert model["root"] == name and model["parent"] is None
        assert model["permission"] == model["aliases"] == model["tags"] == []
        assert model["meta"]["n_ctx"] == model["max_model_len"] > 0
        assert model["meta"]["n_vocab"] > 0
        assert model["meta"]["size"] > 0
    # The published sizes of SmolLM2-135M.
    sizes = models["smol"]["meta"]
    assert sizes["n_params"] == 134_515_008
    assert sizes["n_ctx"] <= sizes["n_ctx_train"] == 8192
    assert (sizes["n_vocab"], sizes["n_embd"]) == (49152, 576)
    assert models["minilm"]["meta"]["n_embd"] == 384
    assert "n_params" not in models["demo"]["meta"]  # its vision part is not counted


def test_modalities_and_capabilities(site, models):
    assert models["smol"]["architecture"] == {"input_modalities": ["text"], "output_modalities": ["text"]}
    assert models["demo"]["architecture"]["input_modalities"] == ["text", "image"]
    for name in ("minilm", "qwen"):
        assert models[name]["architecture"]["output_modalities"] == ["embeddings"]
    listed = {model["name"]: model for model in get(site, "/v1/models")[1]["models"]}
    assert list(listed) == list(models)
    assert {name: model["capabilities"] for name, model in listed.items()} == {
        "smol": ["completion"],
        "demo": ["completion", "multimodal"],
        "minilm": ["embedding"],
        "qwen": ["embedding"],
    }
    assert all(model["model"] == name and model["type"] == "model" for name, model in listed.items())


def test_props(site, models):
    status, props = get(site, "/props?model=demo")
    assert status == 200
    assert props["model_alias"] == "demo"
    assert "/" not in props["model_path"]
    assert props["total_slots"] == 5
    assert props["default_generation_settings"]["n_ctx"] == models["demo"]["max_model_len"]
    assert props["default_generation_settings"]["params"]["temperature"] >= 0
    assert props["modalities"] == {"vision": True, "audio": False}
    assert props["build_info"].startswith("edgegate-")
    template = json.loads((ROOT / "tools/edge-demo-v/model/tokenizer_config.json").read_text())
    file = ROOT / "tools/edge-demo-v/model/chat_template.jinja"
    assert props["chat_template"] == (file.read_text() if file.exists() else template["chat_template"])
    assert props["chat_template_caps"]["supports_tools"] is True
    smol = get(site, "/props?autoload=false&model=smol")[1]
    assert smol["modalities"]["vision"] is False
    assert (smol["bos_token"], smol["eos_token"]) == ("<|im_start|>", "<|im_end|>")
    embedding = get(site, "/props?model=minilm")[1]
    assert embedding["chat_template"] == "" and embedding["total_slots"] == 0


def test_props_of_no_model(site):
    status, answer = get(site, "/props")
    assert status == 400 and answer["error"]["param"] == "model"
    status, answer = get(site, "/props?model=none")
    assert status == 404 and answer["error"]["code"] == "model_not_found"


def test_version(site):
    version = get(site, "/version")[1]["version"]
    assert f"project(edgegate VERSION {version}" in pathlib.Path(ROOT / "CMakeLists.txt").read_text()


def frigate(site, model):
    """Frigate's llamacpp provider finds out the context, vision and tools of a model."""
    entry = None
    for one in get(site, "/v1/models")[1].get("data", []):
        if model in {one.get("id"), *one.get("aliases", [])}:
            entry = one
            break
    modalities = (entry.get("architecture") or {}).get("input_modalities") or []
    props = get(site, f"/props?model={model}")[1]
    tools = (props.get("chat_template_caps") or {}).get("supports_tools", False)
    return int(entry["meta"]["n_ctx"]), "image" in modalities, bool(tools)


def test_frigate(site, models):
    assert frigate(site, "demo") == (models["demo"]["max_model_len"], True, True)
    assert frigate(site, "smol") == (models["smol"]["max_model_len"], False, True)
