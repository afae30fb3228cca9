"""Images through the API: tiny random GLM-Edge-V checkpoints against float32 (golden/vision)."""

import base64
import concurrent.futures
import json

import openai
import pytest
from conftest import Daemon, ROOT, check_differences, differences

FOLDER = ROOT / "tests/golden/vision"
GGUF = "glm-edge-v.gguf"
MODELS = ["glm-edge-v", "glm-edge-v-odd", GGUF]
TEXT_ONLY = "text-only"


def data_url(path):
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def message(*parts):
    """A user's message: a str is text, a path an image."""
    content = []
    for part in parts:
        if isinstance(part, str):
            content.append({"type": "text", "text": part})
        else:
            content.append({"type": "image_url", "image_url": {"url": data_url(part)}})
    return {"role": "user", "content": content}


@pytest.fixture(scope="module")
def zoo(tmp_path_factory, cache):
    arguments = [f"--model={name}={FOLDER / name}" for name in MODELS if name != GGUF]
    arguments.append(f"--model={GGUF}={FOLDER / GGUF}+{FOLDER / 'glm-edge-v.mmproj.gguf'}")
    arguments.append(f"--model={TEXT_ONLY}={ROOT / 'tests/golden/models/glm-edge'}")
    sizes = ["--engine.kv_cache_mb", "16", "--engine.max_images", "2"]
    log = str(tmp_path_factory.mktemp("vision") / "log")
    running = Daemon(*arguments, *sizes, "--engine.cache_dir", cache, log=log)
    yield running
    assert running.stop() == 0


def golden(name):
    return json.loads((FOLDER / f"{name.removesuffix('.gguf')}.json").read_text())["images"]


def ask(client, model, *parts, max_tokens=1, **more):
    return client.chat.completions.create(
        model=model,
        messages=[message(*parts)],
        max_tokens=max_tokens,
        temperature=0,
        logprobs=True,
        top_logprobs=20,
        extra_body={"return_tokens_as_token_ids": True, "ignore_eos": True},
        **more,
    )


def image_tokens(answer):
    return answer.usage.prompt_tokens_details.model_extra["image_tokens"]


def logprobs(answer):
    return [
        [(top.token, top.logprob) for top in token.top_logprobs]
        for token in answer.choices[0].logprobs.content
    ]


@pytest.mark.parametrize("name", MODELS)
def test_log_probabilities_are_near_float32(zoo, name):
    client, found = zoo.client(), []
    for image in golden(name):
        file = FOLDER / image["file"]
        parts = [file, image["text"]] if image["image_first"] else [image["text"], file]
        answer = ask(client, name, *parts)
        assert answer.usage.prompt_tokens == image["prompt_tokens"]
        found += differences(dict(logprobs(answer)[0]), image["top"])
    check_differences(found, 10)


def test_the_same_image_is_encoded_once(zoo):
    client = zoo.client()
    parts = [FOLDER / "wide.png", "Again?"]
    first = ask(client, "glm-edge-v", *parts, max_tokens=8)
    again = ask(client, "glm-edge-v", *parts, max_tokens=8)
    assert again.model_extra["timings"]["images_encoded"] == 0
    assert logprobs(again) == logprobs(first)
    # The same number of image tokens, and another image.
    other = ask(client, "glm-edge-v", FOLDER / "tall.png", "Again?", max_tokens=8)
    assert other.usage.prompt_tokens == first.usage.prompt_tokens
    assert logprobs(other) != logprobs(first)
    assert image_tokens(first) == 11


def test_conversations_keep_their_images(zoo):
    client = zoo.client()
    messages = [message(FOLDER / "square.png", "First?")]
    messages += [{"role": "assistant", "content": "A square."}, message("And now?")]
    answer = client.chat.completions.create(model="glm-edge-v", messages=messages, max_tokens=4)
    assert image_tokens(answer) == 11
    two = ask(client, "glm-edge-v", FOLDER / "square.png", "or", FOLDER / "wide.png")
    assert image_tokens(two) == 22
    swapped = ask(client, "glm-edge-v", FOLDER / "wide.png", "or", FOLDER / "square.png")
    assert logprobs(two) != logprobs(swapped)


def test_many_requests_at_once_answer_as_alone(zoo):
    """Sends images and texts at once, streamed and whole, some of them cached."""
    client = zoo.client()
    names = ["square", "wide", "tall", "tiny", "grey"]
    questions = [[FOLDER / f"{names[i % 5]}.png", f"number {i}"] for i in range(16)]
    questions += [[f"text {i}"] for i in range(16)]

    def run(parts):
        return logprobs(ask(client, "glm-edge-v-odd", *parts, max_tokens=12))

    alone = [run(parts) for parts in questions]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        assert list(pool.map(run, questions)) == alone


@pytest.mark.parametrize(
    ("model", "parts", "says"),
    [
        (TEXT_ONLY, [{"url": data_url(FOLDER / "tiny.png")}], "takes text only"),
        ("glm-edge-v", [{"url": data_url(FOLDER / "tiny.png")}] * 3, "at most 2"),
        ("glm-edge-v", [{"url": "data:image/png;base64,!!!!"}], "base64"),
        ("glm-edge-v", [{"url": "data:image/png;base64,AAAA"}], "image"),
        ("glm-edge-v", [{"url": "http://localhost/a.png"}], "fetch"),
        ("glm-edge-v", [{"url": "ftp://localhost/a.png"}], "data URL"),
        ("glm-edge-v", [{"url": 7}], "expected a string"),
        ("glm-edge-v", [{}], "url"),
        ("glm-edge-v", [{"url": "data:", "detail": "finest"}], "detail"),
    ],
)
def test_invalid_images_are_400s_that_name_the_reason(zoo, model, parts, says):
    content = [{"type": "image_url", "image_url": part} for part in parts]
    with pytest.raises(openai.BadRequestError) as error:
        zoo.client().chat.completions.create(
            model=model, messages=[{"role": "user", "content": content}], max_tokens=1
        )
    assert says in error.value.body["message"]
    assert error.value.body["param"].startswith("messages[0].content[")


def test_detail_of_an_image_is_accepted(zoo):
    url = data_url(FOLDER / "tiny.png")
    content = [{"type": "image_url", "image_url": {"url": url, "detail": "low"}}]
    messages = [{"role": "user", "content": content}]
    answer = zoo.client().chat.completions.create(
        model="glm-edge-v", messages=messages, max_tokens=1
    )
    assert answer.usage.prompt_tokens > 11
