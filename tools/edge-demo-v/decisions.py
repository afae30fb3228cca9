"""Fits the temperature of edge-demo-v's decisions, and measures how reliable its probabilities are.

    python3 decisions.py http://HOST:PORT/v1 [--write]

Asks a running daemon predicates, choices and scores about scenes that the model was never trained on.
One half of the scenes fits one temperature, by the mean negative log-likelihood of the true options.
The other half measures the probabilities with a temperature of 1 and with the fitted one. --write
stores the temperature in model/generation_config.json.
"""

import argparse
import base64
import io
import json
import math
import pathlib
import random
import urllib.request

import dialogues
import scenes

FIRST_SEED = 950_000_000  # neither the training nor evaluate.py has these
CONFIG = pathlib.Path(__file__).resolve().parent / "model/generation_config.json"
MEMBER = "decision_temperature"
BINS = 10


def predicate(instructions, truth):
    return {"type": "predicate", "instructions": instructions}, 0 if truth else 1


def choice(instructions, answers, truth):
    """`answers`: the answer that the model was trained to give, for each value."""
    choices = [{"value": value, "description": text} for value, text in answers.items()]
    question = {"type": "choice", "instructions": instructions, "choices": choices}
    return question, list(answers).index(truth)


def score(instructions, answers, truth):
    levels = [{"label": label, "description": text} for label, text in answers.items()]
    question = {"type": "score", "instructions": instructions, "levels": levels}
    return question, list(answers).index(truth)


def about_lights(rng, facts):
    lights = facts["lights"]
    asks = ["Is the {} light on?", "Is a {} light on?", "Is there a {} light?"]
    for color in scenes.LIGHT_COLORS:
        yield predicate(rng.choice(asks).format(color), color in lights)
    on = sum(color != "off" for color in lights)
    counts = {str(n): f"{n} of the" for n in range(len(lights) + 1)}
    yield score(rng.choice(dialogues.ASK["lights count"]), counts, str(on))


def about_shapes(rng, facts):
    shapes = facts["shapes"]
    kinds = [s["shape"] for s in shapes]
    for s in shapes:
        if kinds.count(s["shape"]) > 1:
            continue
        answers = {color: f"The {s['shape']} is {color}." for color in scenes.SHAPE_COLORS}
        yield choice(f"What colour is the {s['shape']}?", answers, s["color"])
    for key, names in (("color", scenes.SHAPE_COLORS), ("shape", scenes.SHAPES)):
        of = rng.choice(names)
        name = f"{of} shape" if key == "color" else of
        answers = {"0": f"There is no {name}.", "1": f"There is 1 {name}."}
        answers |= {str(n): f"There are {n} {name}s." for n in range(2, 6)}
        ask = rng.choice(["How many {}s are there?", "Count the {}s.", "How many {}s do you see?"])
        yield score(ask.format(name), answers, str(sum(s[key] == of for s in shapes)))


def about_sign(rng, facts):
    words = rng.sample([word for word in scenes.WORDS if word != facts["word"]], 7)
    words.insert(rng.randrange(8), facts["word"])
    answers = {word: f'The sign says "{word}".' for word in words}
    yield choice(rng.choice(dialogues.ASK["sign"]), answers, facts["word"])


def about_gauge(rng, facts):
    if facts["unit"] != "bar":
        return
    answers = {str(n): f"The gauge reads {n}." for n in range(11)}
    yield score(rng.choice(dialogues.ASK["gauge"]), answers, facts["reading"].split(".")[0])


ABOUT = {"lights": about_lights, "shapes": about_shapes, "sign": about_sign, "gauge": about_gauge}


def ask(url, scene, questions):
    """The probabilities of the options of each question."""
    png = io.BytesIO()
    scene.image.save(png, "PNG")
    image = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    content = [{"type": "input_image", "image_url": image}]
    body = {"model": "edge-demo-v", "input": [{"role": "user", "content": content}]}
    body["questions"] = questions
    request = urllib.request.Request(
        url.rstrip("/") + "/decisions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        answers = json.load(answer)["answers"]
    return [
        [a["probability"], 1 - a["probability"]]
        if a["type"] == "predicate"
        else [p["probability"] for p in a["probabilities"]]
        for a in answers
    ]


def collect(url, count, served):
    """(type, log-probabilities, index of the true option) of each question, from two halves of the scenes."""
    halves = [[], []]
    for number in range(count):
        seed = FIRST_SEED + number
        rng = random.Random(-seed)
        kind = list(ABOUT)[number // 2 % len(ABOUT)]
        scene = scenes.make_scene(seed, kind)
        asked = list(ABOUT[kind](rng, scene.facts))
        if not asked:
            continue
        answers = ask(url, scene, [question for question, _ in asked])
        for (question, truth), probabilities in zip(asked, answers, strict=True):
            logs = [served * math.log(max(p, 1e-300)) for p in probabilities]
            halves[number % 2].append((question["type"], logs, truth))
    return halves


def softmax(logs, temperature):
    largest = max(logs)
    weights = [math.exp((v - largest) / temperature) for v in logs]
    total = sum(weights)
    return [w / total for w in weights]


def likelihood(cases, temperature):
    """Mean negative log-likelihood of the true options."""
    terms = (-math.log(max(softmax(logs, temperature)[truth], 1e-300)) for _, logs, truth in cases)
    return sum(terms) / len(cases)


def fit(cases):
    """The temperature with the smallest mean negative log-likelihood, by golden-section search of its logarithm."""
    low, high = math.log(0.05), math.log(20)
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if likelihood(cases, math.exp(a)) < likelihood(cases, math.exp(b)):
            high = b
        else:
            low = a
    return math.exp((low + high) / 2)


def reliability(cases, temperature):
    """Accuracy, mean confidence, ECE, Brier score, likelihood, and (count, confidence, accuracy) of each bin."""
    bins = [[] for _ in range(BINS)]
    brier = 0
    for _, logs, truth in cases:
        p = softmax(logs, temperature)
        best = max(range(len(p)), key=p.__getitem__)
        brier += sum((v - (i == truth)) ** 2 for i, v in enumerate(p))
        bins[min(BINS - 1, int(p[best] * BINS))].append((p[best], best == truth))
    rows = [
        (len(b), sum(c for c, _ in b) / len(b), sum(hit for _, hit in b) / len(b)) for b in bins if b
    ]
    n = len(cases)
    return {
        "accuracy": sum(count * hits for count, _, hits in rows) / n,
        "ece": sum(count * abs(confidence - hits) for count, confidence, hits in rows) / n,
        "brier": brier / n,
        "nll": likelihood(cases, temperature),
        "bins": rows,
    }


def report(cases, temperatures):
    print("| questions | number | temperature | accuracy | ECE | Brier score | mean negative log-likelihood |")
    print("|---|---|---|---|---|---|---|")
    groups = {"all": cases}
    groups |= {k: [c for c in cases if c[0] == k] for k in ("predicate", "choice", "score")}
    for name, group in groups.items():
        for temperature in temperatures:
            r = reliability(group, temperature)
            print(
                f"| {name} | {len(group)} | {temperature:.2f} | {100 * r['accuracy']:.1f} % | {100 * r['ece']:.2f} % "
                f"| {r['brier']:.4f} | {r['nll']:.4f} |"
            )
    for temperature in temperatures:
        print(f"\n| confidence at {temperature:.2f} | correct | questions |\n|---|---|---|")
        for count, confidence, hits in reliability(cases, temperature)["bins"]:
            print(f"| {100 * confidence:.1f} % | {100 * hits:.1f} % | {count} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("url", help="base URL of a daemon that serves edge-demo-v")
    parser.add_argument("--count", type=int, default=2400, help="scenes")
    parser.add_argument("--write", action="store_true", help="store the temperature with the model")
    args = parser.parse_args()
    config = json.loads(CONFIG.read_text())
    fitting, testing = collect(args.url, args.count, config.get(MEMBER, 1.0))
    fitted = round(fit(fitting), 2)
    print(f"fitted on {len(fitting)} questions: {fitted}\n")
    report(testing, [1.0, fitted])
    if args.write:
        config[MEMBER] = fitted
        CONFIG.write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
