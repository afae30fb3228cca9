"""Images of every file type, hostile files, fetched URLs, and equal bytes of their answers in any batch
(golden/images, golden/vision)."""

import base64
import concurrent.futures
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading

import openai
import pytest
from conftest import BINARY, ROOT, Daemon
from test_vision import FOLDER, GGUF, ask, image_tokens, logprobs

IMAGES = ROOT / "tests/golden/images"
HOSTILE = json.loads((IMAGES / "hostile.json").read_text())
GOOD = sorted(p.name for p in (IMAGES / "good").iterdir())
KIND = {"png": "png", "jpg": "jpeg", "webp": "webp"}


def start(tmp_path_factory, cache, *arguments):
    log = str(tmp_path_factory.mktemp("images") / "log")
    models = [f"--model={name}={FOLDER / name}" for name in ("glm-edge-v", "glm-edge-v-odd")]
    sizes = ["--engine.kv_cache_mb", "16", "--engine.cache_dir", cache]
    return Daemon(*models, *sizes, *arguments, log=log)


@pytest.fixture(scope="module")
def seeing(tmp_path_factory, cache):
    hosts = [
        "--server.image_hosts",
        "localhost,127.0.0.1",
        "--server.image_private_hosts",
        "localhost",
    ]
    running = start(tmp_path_factory, cache, *hosts)
    yield running
    assert running.stop() == 0


def look(daemon, url, model="glm-edge-v", **more):
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
    return daemon.client().chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": parts}],
        max_tokens=4,
        temperature=0,
        logprobs=True,
        top_logprobs=5,
        extra_body={"return_tokens_as_token_ids": True, "ignore_eos": True},
        **more,
    )


def as_url(path):
    kind = KIND.get(path.suffix[1:], "png")
    return f"data:image/{kind};base64," + base64.b64encode(path.read_bytes()).decode()


@pytest.mark.parametrize("name", GOOD)
def test_every_kind_of_image_is_accepted(seeing, name):
    assert image_tokens(look(seeing, as_url(IMAGES / "good" / name))) == 11


def test_the_same_pixels_are_the_same_image(seeing):
    """The file type does not matter."""
    kinds = ["rgb.png", "lossless.webp", "interlaced.png", "rgb-16.png", "trailing.png"]
    answers = [look(seeing, as_url(IMAGES / "good" / name)) for name in kinds]
    assert all(logprobs(answer) == logprobs(answers[0]) for answer in answers)
    assert all(answer.model_extra["timings"]["images_encoded"] == 0 for answer in answers[1:])
    other = look(seeing, as_url(IMAGES / "good" / "exif.png"))
    assert logprobs(other) != logprobs(answers[0])


def memory_mb(daemon):
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def test_hostile_images_are_400s(seeing):
    look(seeing, as_url(IMAGES / "good" / "rgb.png"))
    before = memory_mb(seeing)

    def show(name):
        with pytest.raises(openai.BadRequestError) as error:
            look(seeing, as_url(IMAGES / "hostile" / name))
        assert error.value.body["code"] == "invalid_image"
        assert error.value.body["param"] == "messages[0].content[1].image_url.url"
        assert HOSTILE[name] in error.value.body["message"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(show, HOSTILE))
    if "asan" not in BINARY:
        assert memory_mb(seeing) - before < 400  # two of bomb-short.jpg, 147 MB of pixels
    look(seeing, as_url(IMAGES / "good" / "rgb.png"))


class Files(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments):
        super().__init__(*arguments, directory=str(IMAGES))

    def log_message(self, *arguments):
        self.server.seen.append(self.path)


@pytest.fixture(scope="module")
def site():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.seen = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_urls_of_trusted_hosts_are_fetched(seeing, site):
    url = f"http://localhost:{site.server_port}"
    fetched = look(seeing, f"{url}/good/rgb.png")
    assert logprobs(fetched) == logprobs(look(seeing, as_url(IMAGES / "good" / "rgb.png")))
    for path, says in [("/good.json", "of type"), ("/no.png", "404"), ("/hostile/cut.png", "PNG")]:
        with pytest.raises(openai.BadRequestError, match=says):
            look(seeing, url + path)


def test_urls_of_other_hosts_are_not_fetched(seeing, site):
    before = len(site.seen)
    # An allowed host with a private address, and a host that is not allowed.
    for host, says in [("127.0.0.1", "private address"), ("127.0.0.2", "not fetched")]:
        with pytest.raises(openai.BadRequestError, match=says):
            look(seeing, f"http://{host}:{site.server_port}/good/rgb.png")
    assert len(site.seen) == before


def test_a_streamed_answer_equals_the_whole_one(seeing):
    url = as_url(IMAGES / "good" / "rgb.jpg")
    whole = look(seeing, url)
    chunks = list(look(seeing, url, stream=True, stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == whole.choices[0].message.content
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens
    assert image_tokens(chunks[-1]) == 11


def test_images_give_the_same_bytes_for_any_threads_chunks_and_cache(tmp_path_factory, cache):
    """One thread or two, in chunks or whole, cached or not, alone or beside others."""
    names = ["square", "wide", "tall", "tiny", "grey"]
    questions = [
        (
            model,
            [FOLDER / f"{name}.png", f"number {i}"] if i % 2 else [f"{i}:", FOLDER / f"{name}.png"],
        )
        for model in ("glm-edge-v", "glm-edge-v-odd")
        for i, name in enumerate(names)
    ]
    questions += [("glm-edge-v", [f"text {i}"]) for i in range(6)]
    settings = [
        ["--engine.threads", "1"],
        ["--engine.threads", "2", "--engine.image_cache_mb", "0"],
        [
            "--engine.threads",
            "2",
            "--engine.max_num_batched_tokens",
            "7",
            "--engine.max_num_seqs",
            "3",
        ],
    ]
    answers = []
    for arguments in settings:
        daemon = start(tmp_path_factory, cache, *arguments)
        client = daemon.client()

        def run(question, client=client):
            return logprobs(ask(client, question[0], *question[1], max_tokens=10))

        answers.append([run(question) for question in questions])
        with concurrent.futures.ThreadPoolExecutor(len(questions)) as pool:
            answers.append(list(pool.map(run, questions)))
        encoded = sum(model["images_encoded"] for model in daemon.health()["models"])
        assert encoded >= 20 if "0" in arguments else encoded == 10
        assert daemon.stop() == 0
    assert all(answer == answers[0] for answer in answers)


def refused(*arguments):
    command = [BINARY, "serve", "--port", "0", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done.stderr
    return done.stderr


def renamed(source, to, old, new):
    """A copy of a checkpoint in which a tensor has another name of the same length."""
    data = source.read_bytes()
    assert len(old) == len(new) and data.count(old) == 1
    to.write_bytes(data.replace(old, new))


def test_missing_vision_tensors_are_refused_by_name(tmp_path):
    cache = ["--engine.cache_dir", str(tmp_path / "cache")]
    folder = tmp_path / "model"
    shutil.copytree(FOLDER / "glm-edge-v", folder)
    weights = FOLDER / "glm-edge-v" / "model.safetensors"
    tower = b"model.vision.vit.model.vision_model."
    for name in (tower + b"post_layernorm.weight", b"model.vision.adapter.boi"):
        os.unlink(folder / "model.safetensors")
        renamed(weights, folder / "model.safetensors", b'"' + name + b'"', b'"' + name[:-1] + b'?"')
        assert name.decode() in refused("--model", str(folder), *cache)
    mmproj = tmp_path / "mmproj.gguf"
    name = b"adapter.linear.gate.weight"
    renamed(FOLDER / "glm-edge-v.mmproj.gguf", mmproj, name, name[:-1] + b"?")
    assert name.decode() in refused("--model", f"{FOLDER / GGUF}+{mmproj}", *cache)
    assert "text.gguf" in refused("--model", f"{FOLDER / GGUF}+{tmp_path / 'text.gguf'}", *cache)


def test_the_mmproj_may_stand_in_the_settings(tmp_path, cache):
    config = tmp_path / "edgegate.toml"
    config.write_text(
        f'[engine]\ncache_dir = "{cache}"\nkv_cache_mb = 16\n'
        f'[[model]]\nname = "{GGUF}"\npath = "{FOLDER / GGUF}"\n'
        f'mmproj = "{FOLDER / "glm-edge-v.mmproj.gguf"}"\n'
        f'[[model]]\nname = "blind"\npath = "{FOLDER / GGUF}"\n'
    )
    daemon = Daemon("--config", str(config), log=str(tmp_path / "log"))
    url = as_url(FOLDER / "tiny.png")
    assert image_tokens(look(daemon, url, GGUF)) == 11
    with pytest.raises(openai.BadRequestError, match="takes text only"):
        look(daemon, url, "blind")
    assert daemon.stop() == 0
