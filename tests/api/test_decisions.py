"""/v1/decisions: the contract of OpenAI's SDK, probabilities against decoding, sharing of the prefix, limits."""

import concurrent.futures
import json
import math
import random
import sys
import threading
import urllib.error
import urllib.request

import pytest
from conftest import DEMO, MODEL, ROOT, Daemon
from test_demo import image_of, messages, url_of

sys.path.insert(0, str(ROOT / "tools/edge-demo-v"))
import decisions  # noqa: E402
import scenes  # noqa: E402

PATH = "/v1/decisions"
VISION = "edge-demo-v"
TEMPERATURE = json.loads(decisions.CONFIG.read_text()).get(decisions.MEMBER, 1.0)


@pytest.fixture(scope="module")
def site(tmp_path_factory, cache):
    log = str(tmp_path_factory.mktemp("decisions") / "log")
    models = [f"--model={VISION}={DEMO}", f"--model=smol={MODEL}"]
    models.append(f"--model=bert={ROOT / 'tests/golden/embeddings/bert'}")
    running = Daemon(*models, "--engine.cache_dir", cache, log=log)
    yield running
    assert running.stop() == 0


def post(site, body, timeout=120):
    """Status and JSON of the answer."""
    request = urllib.request.Request(site.url + PATH, data=json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def decide(site, body):
    status, answer = post(site, body)
    assert status == 200, answer
    return answer


def predicate(text, **more):
    return {"type": "predicate", "instructions": text, **more}


def seen(image, *questions, text=None):
    content = [{"type": "input_image", "image_url": image}]
    if text:
        content.append({"type": "input_text", "text": text})
    return {"model": VISION, "input": [{"role": "user", "content": content}], "questions": list(questions)}


def read(text, *questions):
    return {"model": "smol", "input": text, "questions": list(questions)}


def first_logprobs(site, model, conversation):
    """Log-probabilities of the first tokens of the answer that is decoded."""
    answer = site.client().chat.completions.create(
        model=model, messages=conversation, max_tokens=1, temperature=0, logprobs=True, top_logprobs=20
    )
    return {top.token: top.logprob for top in answer.choices[0].logprobs.content[0].top_logprobs}


def softmax(logs, temperature):
    weights = [math.exp(v / temperature) for v in logs]
    return [w / sum(weights) for w in weights]


def test_every_type_of_question_about_an_image(site):
    lights = ["red", "green", "blue", "yellow"]
    count = {
        "type": "score",
        "name": "number",
        "instructions": "How many lights are on?",
        "levels": [{"label": str(n), "description": f"{n} of the"} for n in range(4)],
    }
    pick = {
        "type": "choice",
        "instructions": "Is the red light on?",
        "choices": [{"value": True, "description": "Yes"}, {"value": False, "description": "No"}],
    }
    asked = [predicate(f"Is the {color} light on?", name=color) for color in lights]
    answer = decide(site, seen(image_of("lights"), *asked, count, pick))
    assert answer["model"] == VISION
    answers = answer["answers"]
    # Of 3 lights, the first is yellow and the third is red.
    assert [a["probability"] > 0.5 for a in answers[:4]] == [True, False, False, True]
    assert [a["name"] for a in answers] == [*lights, "number", None]
    assert [a["type"] for a in answers] == ["predicate"] * 4 + ["score", "choice"]
    score, choice = answers[4:]
    assert round(score["score"]) == 2 and score["confidence"] > 0.5
    assert [(p["label"], p["value"]) for p in score["probabilities"]] == [("0", 0), ("1", 1), ("2", 2), ("3", 3)]
    assert sum(p["value"] * p["probability"] for p in score["probabilities"]) == pytest.approx(score["score"])
    assert choice["choice"] is True
    assert choice["confidence"] == max(p["probability"] for p in choice["probabilities"])
    for one in (score, choice):
        assert sum(p["probability"] for p in one["probabilities"]) == pytest.approx(1)
    usage = answer["usage"]
    assert usage["output_tokens"] == 0 and usage["total_tokens"] == usage["input_tokens"] > 50
    assert set(usage["input_tokens_details"]) == {"cached_tokens", "cache_write_tokens"}


def test_probabilities_are_those_of_decoding(site):
    image = image_of("lights")
    for color in ("red", "green"):
        question = f"Is the {color} light on?"
        tops = first_logprobs(site, VISION, messages(question, image))
        expected = softmax([tops["Yes"], tops["No"]], TEMPERATURE)[0]
        answer = decide(site, seen(image, predicate(question)))
        assert answer["answers"][0]["probability"] == pytest.approx(expected, rel=1e-5)


def test_probabilities_of_a_text_are_those_of_decoding(site):
    text, question = "The pump is hot and the alarm is ringing.", "The alarm is silent."
    content = f"{text}\n\n{question}\nAnswer Yes or No."
    tops = first_logprobs(site, "smol", [{"role": "user", "content": content}])
    if not {"Yes", "No"} <= set(tops):
        pytest.skip("the options are not among the 20 most likely tokens")
    answer = decide(site, read(text, predicate(question)))
    assert answer["answers"][0]["probability"] == pytest.approx(softmax([tops["Yes"], tops["No"]], 1)[0], rel=1e-5)


def test_a_long_option_is_the_product_of_its_tokens(site):
    """Scores that differ in the third token, against the log-probabilities of decoding the same tokens."""
    image = url_of(scene_with_one_circle()[0], "png")
    question = "What colour is the circle?"
    answers = {color: f"The circle is {color}." for color in ("red", "green")}
    choice = {
        "type": "choice",
        "instructions": question,
        "choices": [{"value": k, "description": v} for k, v in answers.items()],
    }
    got = decide(site, seen(image, choice))["answers"][0]
    answer = site.client().chat.completions.create(
        model=VISION,
        messages=messages(question, image),
        max_tokens=8,
        temperature=0,
        logprobs=True,
        top_logprobs=20,
    )
    said = answer.choices[0].message.content
    assert said.startswith("The circle is ")
    tokens = answer.choices[0].logprobs.content
    place = next(i for i in range(len(tokens)) if "".join(t.token for t in tokens[:i]).rstrip() == "The circle is")
    tops = {t.token.strip(): t.logprob for t in tokens[place].top_logprobs}
    if not {"red", "green"} <= set(tops):
        pytest.skip("the colours are not single tokens among the 20 most likely ones")
    expected = softmax([tops["red"], tops["green"]], TEMPERATURE)
    assert [p["probability"] for p in got["probabilities"]] == pytest.approx(expected, rel=1e-5)


def scene_with_one_circle():
    import io

    for seed in range(960_000_000, 960_000_200):
        scene = scenes.make_scene(seed, "shapes")
        if [s["shape"] for s in scene.facts["shapes"]].count("circle") == 1:
            png = io.BytesIO()
            scene.image.save(png, "PNG")
            return png.getvalue(), scene.facts
    raise AssertionError("no scene has one circle")


def test_labelled_scenes_are_answered(site):
    right = total = 0
    for number in range(24):
        rng = random.Random(number)
        kind = list(decisions.ABOUT)[number % len(decisions.ABOUT)]
        scene = scenes.make_scene(970_000_000 + number, kind)
        asked = list(decisions.ABOUT[kind](rng, scene.facts))
        if not asked:
            continue
        found = decisions.ask(site.url + "/v1", scene, [question for question, _ in asked])
        for probabilities, (_, truth) in zip(found, asked, strict=True):
            right += max(range(len(probabilities)), key=probabilities.__getitem__) == truth
            total += 1
    assert total > 50 and right >= 0.9 * total


def test_the_same_request_gives_the_same_bytes_whatever_else_runs(site):
    bodies = [seen(image_of("lights"), *[predicate(f"Is the {c} light on?") for c in ("red", "green", "blue")])]
    bodies.append(read("The pump is hot.", *[predicate(f"The pump is {w}.") for w in ("hot", "cold", "broken")]))
    alone = [decide(site, body)["answers"] for body in bodies]
    stop = threading.Event()

    def stream():
        while not stop.is_set():
            list(
                site.client().completions.create(model="smol", prompt="Once upon a", max_tokens=40, stream=True)
            )

    beside = threading.Thread(target=stream)
    beside.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            for answers in pool.map(lambda i: decide(site, bodies[i % 2])["answers"], range(12)):
                assert answers in alone
    finally:
        stop.set()
        beside.join()
    reversed_ = {**bodies[0], "questions": bodies[0]["questions"][::-1]}
    assert decide(site, reversed_)["answers"] == alone[0][::-1]


def test_400_questions_share_the_input(site):
    questions = [predicate(f"Is the red light on? {i}") for i in range(400)]
    body = seen(image_of("lights"), *questions, text="A gateway watches these lights. " * 20)
    answer = decide(site, body)
    assert len(answer["answers"]) == 400
    once = decide(site, {**body, "questions": questions[:1]})["usage"]
    prompt = sum(once["input_tokens_details"].values())
    assert once["input_tokens_details"]["cached_tokens"] > prompt - 32
    # The input counts once.
    assert answer["usage"]["input_tokens"] - prompt < 400 * 40 < 400 * prompt
    assert decide(site, {**body, "questions": questions[:1]})["answers"] == answer["answers"][:1]


def test_options_that_share_their_first_token_get_letters(site):
    values = [f"button-{i}" for i in range(5)]
    choice = {"type": "choice", "instructions": "Press any.", "choices": [{"value": v} for v in values]}
    many = {**choice, "choices": [{"value": f"button-{i}"} for i in range(30)]}
    answers = decide(site, read("buttons", choice, many))["answers"]
    assert [p["value"] for p in answers[0]["probabilities"]] == values
    assert len(answers[1]["probabilities"]) == 30
    for answer in answers:
        assert sum(p["probability"] for p in answer["probabilities"]) == pytest.approx(1)


def test_equal_texts_of_different_types_are_distinct(site):
    choice = {"type": "choice", "instructions": "Which?", "choices": [{"value": "true"}, {"value": True}]}
    answer = decide(site, read("x", choice))["answers"][0]
    assert [p["value"] for p in answer["probabilities"]] == ["true", True]


def test_items_of_other_roles(site):
    items = [
        {"role": "system", "content": "You watch pumps."},
        {"role": "user", "content": [{"type": "input_json", "data": {"bar": 7}}]},
        {"role": "assistant", "content": "7 bar."},
        {"type": "function_call", "call_id": "1", "name": "read", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "8 bar"},
    ]
    body = {"model": "smol", "input": items, "questions": [predicate("The pressure rises.")]}
    assert 0 < decide(site, body)["answers"][0]["probability"] < 1


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"input": None}, "input"),
        ({"input": "words " * 20000}, "input"),
        ({"questions": []}, "questions"),
        ({"questions": [predicate("x")] * 401}, "questions"),
        ({"questions": [predicate("words " * 20000)]}, "input"),
        ({"questions": [{"type": "choice", "instructions": "x", "choices": [{"value": "a"}]}]}, "questions[0].choices"),
        ({"model": "bert"}, "model"),
        ({"model": None}, "model"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}]}, "input"),
    ],
)
def test_errors_name_the_field(site, change, param):
    status, answer = post(site, {**read("x", predicate("y")), **change})
    assert status == 400, answer
    assert (answer["error"]["param"] or "").startswith(param)
    assert set(answer["error"]) == {"message", "type", "param", "code"}


def test_unknown_members_are_named(site):
    body = {**read("x", predicate("y", extra=1)), "more": 2, "prompt_cache_key": "k"}
    assert decide(site, body)["warnings"] == [
        "'questions[0].extra' is unknown and has no effect.",
        "'prompt_cache_key' has no effect.",
        "'more' is unknown and has no effect.",
    ]


def test_a_client_that_leaves_ends_its_questions(site):
    questions = [predicate(f"The pump number {i} is hot, and so on.") for i in range(400)]
    body = read("pumps " * 1500, *questions)
    with pytest.raises(TimeoutError):
        post(site, body, timeout=0.5)
    assert sum(model["running"] + model["waiting"] for model in site.idle_health()["models"]) == 0
