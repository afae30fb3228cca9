"""The daemon without a configuration: the built-in edge-demo-v, images, text, many clients."""

import base64
import concurrent.futures
import io
import json
import shutil
import subprocess
import sys

import pytest
from conftest import BINARY, MODEL, ROOT, Daemon
from PIL import Image

sys.path.insert(0, str(ROOT / "tools/edge-demo-v"))
import evaluate  # noqa: E402

IMAGES = ROOT / "tools/edge-demo-v/images"
NAME = "edge-demo-v"
QUESTIONS = {
    "gauge": ("What does the gauge read?", "The gauge reads 5.5 bar."),  # within 3 % of the scale
    "display": ("What does the display show?", "The display shows 7.45."),
    "lights": ("Which lights are on?", "Of 3 lights, 1 (yellow) and 3 (red) are on."),
    "sign": ("What does the sign say?", 'The sign says "DANGER".'),
}


def url_of(data, kind="jpeg"):
    return f"data:image/{kind};base64," + base64.b64encode(data).decode()


def image_of(name):
    return url_of((IMAGES / f"{name}.jpg").read_bytes())


def messages(text, url=None):
    content = [{"type": "text", "text": text}]
    if url:
        content.insert(0, {"type": "image_url", "image_url": {"url": url}})
    return [{"role": "user", "content": content}]


def right(said, answer):
    return said == answer or evaluate.near_gauge(said, answer)


@pytest.fixture(scope="module")
def demo(tmp_path_factory, cache):
    folder = tmp_path_factory.mktemp("models")
    (folder / "smol.gguf").symlink_to(MODEL)
    (folder / "smol.mmproj.gguf").write_bytes(b"")
    (folder / "notes.txt").write_text("no model")
    arguments = ["--engine.model_dir", str(folder), "--engine.cache_dir", cache]
    running = Daemon(*arguments, log=str(folder / "log"))
    yield running
    assert running.stop() == 0


def test_serves_the_embedded_model_and_the_model_folder(demo):
    assert [model.id for model in demo.client().models.list()] == [NAME, "smol"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_demo_reads_images(demo, name):
    question, answer = QUESTIONS[name]
    said = demo.client().chat.completions.create(
        model=NAME, messages=messages(question, image_of(name))
    )
    assert right(said.choices[0].message.content, answer)
    assert said.choices[0].finish_reason == "stop"
    assert said.usage.prompt_tokens_details.model_extra["image_tokens"] == 18


def test_the_demo_streams_a_chat(demo):
    stream = demo.client().chat.completions.create(
        model=NAME, messages=messages("What is edgegate?"), stream=True
    )
    said = "".join(event.choices[0].delta.content or "" for event in stream)
    assert said.startswith("edgegate is a daemon")


def test_a_conversation_goes_on(demo):
    asked = messages("What does the gauge read?", image_of("gauge"))
    asked.append({"role": "assistant", "content": QUESTIONS["gauge"][1]})
    asked += messages("What does the display show?")
    said = demo.client().chat.completions.create(model=NAME, messages=asked)
    assert said.choices[0].message.content == "I cannot tell: I see a gauge."
    assert said.model_extra["timings"]["images_encoded"] in (0, 1)


def test_the_demo_answers_by_schema(demo):
    schema = {
        "type": "object",
        "properties": {"display": {"type": "string", "pattern": "^[0-9.]+$"}},
        "required": ["display"],
        "additionalProperties": False,
    }
    said = demo.client().chat.completions.create(
        model=NAME,
        messages=messages("Read the display. Answer in JSON.", image_of("display")),
        response_format={"type": "json_schema", "json_schema": {"name": "d", "schema": schema}},
    )
    assert json.loads(said.choices[0].message.content) == {"display": "7.45"}


def test_twelve_megapixels_by_curl(demo, tmp_path):
    photo = io.BytesIO()
    large = Image.open(IMAGES / "gauge.jpg").resize((3464, 3464))
    large.save(photo, "JPEG", quality=90)
    body = {"model": NAME, "messages": messages(QUESTIONS["gauge"][0], url_of(photo.getvalue()))}
    file = tmp_path / "request.json"
    file.write_text(json.dumps(body))
    command = ["curl", "-s", demo.url + "/v1/chat/completions", "-d", f"@{file}"]
    command += ["-H", "Content-Type: application/json"]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert right(answer["choices"][0]["message"]["content"], QUESTIONS["gauge"][1])


@pytest.mark.parametrize("skill", evaluate.SKILLS)
def test_skill_is_as_good_as_the_report(demo, skill):
    """The accuracy on a few scenes of the model's report is near that of the report."""
    model, right = evaluate.ServedModel(demo.url + "/v1"), 0
    for number in range(20):
        scene, question, true, judge = evaluate.case(skill, number)
        right += judge(model.answer(scene, question), true)
    known = json.loads((ROOT / "tools/edge-demo-v/model/results-served.json").read_text())
    assert right >= 20 * known["right"][skill] / known["count"] - 3


def test_32_clients_with_images_and_texts_get_their_answers_alone(demo):
    """16 clients with an image each, all different, and 16 with text: the same bytes as alone."""

    def variant(i):
        image = Image.open(IMAGES / f"{list(QUESTIONS)[i % 4]}.jpg")
        bright = image.point(lambda value: value * (100 - i) // 100)
        png = io.BytesIO()
        bright.save(png, "PNG")
        return url_of(png.getvalue(), "png")

    def ask(asked):
        said = demo.client().chat.completions.create(
            model=NAME, messages=asked, max_tokens=32, logprobs=True, top_logprobs=5
        )
        return said.choices[0].model_dump_json()

    everything = [messages("What do you see?", variant(i)) for i in range(16)]
    everything += [messages(f"What is {i} and {i * i}?") for i in range(16)]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        together = list(pool.map(ask, everything))
    assert [ask(asked) for asked in everything] == together


def test_run_shows_an_image(tmp_path):
    command = [BINARY, "run", NAME, "--image", str(IMAGES / "sign.jpg"), "Read the sign."]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == 'The sign says "DANGER".\n'
    done = subprocess.run([*command[:4], "no/such.jpg", "Read"], capture_output=True, text=True)
    assert done.returncode == 1 and "cannot read no/such.jpg" in done.stderr


def test_serve_without_a_model_fails_with_a_message(tmp_path):
    copy = tmp_path / "edgegate"
    shutil.copy(BINARY, copy)
    command = [str(copy), "serve", "--engine.model_dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2 and "no model" in done.stderr


def test_make_scenes_draws_the_same_from_the_same_seed(demo, tmp_path):
    for folder in ("a", "b"):
        script = [sys.executable, str(ROOT / "scripts/make-scenes"), str(tmp_path / folder)]
        subprocess.run([*script, "--count", "6", "--seed", "41"], check=True, capture_output=True)
    truths = json.loads((tmp_path / "a/scenes.json").read_text())
    assert len(truths) == 6
    model = evaluate.ServedModel(demo.url + "/v1")
    for truth in truths:
        file = tmp_path / "a" / truth["file"]
        assert file.read_bytes() == (tmp_path / "b" / truth["file"]).read_bytes()
    right = 0
    for truth in truths:
        scene = evaluate.scenes.make_scene(int(truth["file"].split("-")[1].split(".")[0]), side=448)
        right += evaluate.looked(model.answer(scene, "What do you see?"), truth["answer"])
    assert right >= 5
