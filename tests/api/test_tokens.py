"""/tokenize and /detokenize in vLLM's and llama.cpp's shapes. A chat's ids are those that it is answered from."""

import json
import os
import urllib.error
import urllib.request

import pytest
from conftest import DEMO, MODEL, ROOT, Daemon

MINILM = os.environ.get("EDGEGATE_MINILM", str(ROOT / "models/all-MiniLM-L6-v2"))
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP43yAAAAQRAZDHGw1eAAAAAElFTkSu"
    "QmCC"
)
TEXTS = ("", "Hello, world.", "  two  blanks\n\n", "Grüße, 世界 🤗", "a <|im_end|> b")


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    log = str(tmp_path_factory.mktemp("tokens") / "log")
    models = [f"--model=smol={MODEL}", f"--model=demo={DEMO}", f"--model=minilm={MINILM}"]
    running = Daemon(*models, "--engine.kv_cache_mb", "64", "--engine.cache_dir", cache, log=log)
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A daemon with one model."""
    running = Daemon("--model", f"demo={DEMO}", log=str(tmp_path_factory.mktemp("alone") / "log"))
    yield running
    assert running.stop() == 0


def post(site, path, body):
    """Status and JSON of the answer."""
    request = urllib.request.Request(site.url + path, data=json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def good(site, path, body):
    status, answer = post(site, path, body)
    assert status == 200, answer
    return answer


def field(site, path, body):
    status, answer = post(site, path, body)
    assert status == 400, answer
    return answer["error"]["param"]


@pytest.mark.parametrize("model", ["smol", "demo", "minilm"])
def test_tokens_and_their_text(site, model):
    for text in TEXTS:
        answer = good(site, "/tokenize", {"model": model, "prompt": text, "return_token_strs": True})
        assert answer["count"] == len(answer["tokens"]) == len(answer["token_strs"])
        assert answer["max_model_len"] > 0
        bare = good(site, "/tokenize", {"model": model, "prompt": text, "add_special_tokens": False})
        assert bare["token_strs"] is None
        back = good(site, "/detokenize", {"model": model, "tokens": bare["tokens"]})
        assert back["prompt"] == back["content"]
        if model != "minilm":
            assert back["prompt"] == text
    special = good(site, "/tokenize", {"model": "minilm", "prompt": "a parcel", "return_token_strs": True})
    assert special["token_strs"][0] == "[CLS]" and special["token_strs"][-1] == "[SEP]"


def test_llama_cpp_form(site):
    for text in TEXTS[1:]:
        ids = good(site, "/tokenize", {"model": "smol", "content": text})
        assert list(ids) == ["tokens"]
        pieces = good(site, "/tokenize", {"model": "smol", "content": text, "with_pieces": True})["tokens"]
        assert [piece["id"] for piece in pieces] == ids["tokens"]
        joined = b"".join(
            piece["piece"].encode() if isinstance(piece["piece"], str) else bytes(piece["piece"]) for piece in pieces
        )
        assert joined.decode() == text
        assert good(site, "/detokenize", {"model": "smol", "tokens": ids["tokens"]})["content"] == text
    parsed = good(site, "/tokenize", {"model": "smol", "content": "<|im_end|>"})["tokens"]
    plain = good(site, "/tokenize", {"model": "smol", "content": "<|im_end|>", "parse_special": False})["tokens"]
    assert len(parsed) == 1 < len(plain)
    with_special = good(site, "/tokenize", {"model": "minilm", "content": "a", "add_special": True})["tokens"]
    assert len(with_special) == 2 + len(good(site, "/tokenize", {"model": "minilm", "content": "a"})["tokens"])


TOOL = {
    "type": "function",
    "function": {"name": "f", "parameters": {"type": "object", "properties": {"x": {"type": "string"}}}},
}
CHATS = {
    "one message": {"messages": [{"role": "user", "content": "What is this? <|im_end|>"}]},
    "several": {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": "c"},
            {"role": "user", "content": "d"},
        ]
    },
    "tools": {"messages": [{"role": "user", "content": "Call f."}], "tools": [TOOL]},
    "tools that are not offered": {
        "messages": [{"role": "user", "content": "a"}],
        "tools": [TOOL],
        "tool_choice": "none",
    },
    "no prompt for the answer": {"messages": [{"role": "user", "content": "a"}], "add_generation_prompt": False},
    "variables": {"messages": [{"role": "user", "content": "a"}], "chat_template_kwargs": {"enable_thinking": False}},
}


@pytest.mark.parametrize("model", ["smol", "demo"])
@pytest.mark.parametrize("name", CHATS)
def test_the_ids_of_a_chat_are_those_of_its_prompt(site, model, name):
    body = {"model": model, **CHATS[name]}
    tokens = good(site, "/tokenize", body)["tokens"]
    chat = good(site, "/v1/chat/completions", {**body, "max_tokens": 1, "return_token_ids": True})
    assert chat["prompt_token_ids"] == tokens
    assert chat["usage"]["prompt_tokens"] == len(tokens)


def test_the_ids_of_an_image_are_counted(site):
    content = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": PIXEL}}]
    body = {"model": "demo", "messages": [{"role": "user", "content": content}]}
    answer = good(site, "/tokenize", body)
    chat = good(site, "/v1/chat/completions", {**body, "max_tokens": 1})
    assert answer["count"] == chat["usage"]["prompt_tokens"]
    assert chat["usage"]["prompt_tokens_details"]["image_tokens"] > 0
    assert field(site, "/tokenize", {**body, "model": "smol"}).startswith("messages")


def test_members_without_effect_are_named(site):
    answer = good(site, "/tokenize", {"model": "smol", "prompt": "a", "temperature": 1})
    assert answer["warnings"] == ["'temperature' is unknown and has no effect."]
    assert "warnings" not in good(site, "/tokenize", {"model": "smol", "prompt": "a"})
    assert good(site, "/detokenize", {"model": "smol", "tokens": [1], "x": 1})["warnings"]


def test_wrong_requests_name_the_field(site):
    messages = [{"role": "user", "content": "a"}]
    assert field(site, "/tokenize", {"model": "smol"}) == "prompt"
    assert field(site, "/tokenize", {"model": "smol", "prompt": 5}) == "prompt"
    assert field(site, "/tokenize", {"model": "smol", "messages": messages, "continue_final_message": True}) == (
        "continue_final_message"
    )  # the last message is the user's
    assert field(site, "/tokenize", {"model": "minilm", "messages": messages}) == "model"
    assert field(site, "/tokenize", {"prompt": "a"}) == "model"  # several are served
    assert field(site, "/tokenize", {"model": "smol", "prompt": "a" * (1 << 20) + "a"}) == "prompt"
    assert field(site, "/detokenize", {"model": "smol"}) == "tokens"
    assert field(site, "/detokenize", {"model": "smol", "tokens": [5, -1]}) == "tokens"
    assert field(site, "/detokenize", {"model": "demo", "tokens": [5, 1 << 21]}) == "tokens[1]"
    assert field(site, "/detokenize", {"model": "demo", "tokens": [5] * ((1 << 20) + 1)}) == "tokens"
    assert post(site, "/tokenize", {"model": "none", "prompt": "a"})[0] == 404
    assert post(site, "/detokenize", {"model": "none", "tokens": []})[0] == 404


def test_a_text_beyond_the_context_is_counted(site):
    answer = good(site, "/tokenize", {"model": "demo", "prompt": "a parcel " * 3000})
    assert answer["count"] > answer["max_model_len"]


def test_the_only_model_needs_no_name(alone):
    tokens = good(alone, "/tokenize", {"content": "a parcel"})["tokens"]
    assert good(alone, "/detokenize", {"tokens": tokens})["content"] == "a parcel"
    assert good(alone, "/tokenize", {"prompt": "a parcel"})["tokens"][-len(tokens) :] == tokens
