"""Measures edge-demo-v on scenes that it was never trained on.

    python3 evaluate.py float MODEL_FOLDER          float32, by transformers and the adapter
    python3 evaluate.py served http://HOST:PORT/v1  a running daemon, images sent as PNG
    python3 evaluate.py report                      writes report.md from the results of both

Each leaves results-float.json or results-served.json in the working folder (--folder). A gauge is
correct within 3 % of its scale, a box where it covers the true one by half (intersection over union),
JSON where it parses and holds the truth; everything else must be the very answer.
"""

import argparse
import base64
import io
import json
import pathlib
import random
import re
import urllib.request

import dialogues
import scenes
import small_talk

FIRST_SEED = 900_000_000  # the training's are lower
SKILLS = {
    "gauge": "gauges, within 3 % of the scale",
    "display": "seven-segment displays, every digit",
    "lights": "lights: which are on, and their colours",
    "lights count": "lights: how many are on; whether one is",
    "shapes": "shapes: kinds and colours of all",
    "shapes count": "shapes: how many, of a kind or colour",
    "find": "shapes: where one is, as a box",
    "sign": "printed words",
    "json": "any of these as JSON",
    "look": "what the image shows",
    "cannot": "what cannot be told",
    "talk": "small talk without an image",
}


def near_gauge(said, true):
    """True if both texts have a reading such as "7.3 bar" and the two are close."""
    values = [re.search(r"(\d+(?:\.\d)?) (bar|°C|%)", text) for text in (said, true)]
    if not all(values) or values[0][2] != values[1][2]:
        return False
    scale = 10 if values[1][2] == "bar" else 100
    return abs(float(values[0][1]) - float(values[1][1])) <= 0.03 * scale + 1e-9


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0, width) * max(0, height)
    area = sum((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b))
    return shared / (area - shared) if area > shared else 0.0


def near_box(said, true):
    if "[" not in true:
        return said == true
    boxes = [[int(v) for v in re.findall(r"\d+", text)] for text in (said, true)]
    same_words = said.split("[")[0] == true.split("[")[0]
    return same_words and len(boxes[0]) == 4 and overlap(*boxes) >= 0.5


def near_json(said, true):
    try:
        said, true = json.loads(said), json.loads(true)
    except ValueError:
        return False
    if "gauge" in true and isinstance(said, dict) and isinstance(said.get("gauge"), (int, float)):
        scale = 10 if true["unit"] == "bar" else 100
        off = abs(said["gauge"] - true["gauge"])
        return said.get("unit") == true["unit"] and off <= 0.03 * scale + 1e-9
    return said == true


def same(said, true):
    return said == true


def looked(said, true):
    return near_gauge(said, true) if true.startswith("The gauge") else said == true


def case(skill, number):
    """(scene or None, question, true answer, judge) of one test of a skill."""
    seed = FIRST_SEED + 1000 * number + list(SKILLS).index(skill)
    rng = random.Random(-seed)
    if skill == "talk":
        return None, *small_talk.talk(rng), same
    kinds = {"lights count": "lights", "shapes count": "shapes", "find": "shapes"}
    kind = kinds.get(skill, skill if skill in scenes.KINDS else rng.choice(scenes.KINDS[:-1]))
    if skill == "cannot":
        kind = rng.choice(scenes.KINDS)
    scene = scenes.make_scene(seed, kind)
    facts = scene.facts
    if skill == "lights count":
        return scene, *dialogues.ask_lights(rng, facts["lights"]), same
    if skill == "shapes count":
        return scene, *dialogues.count_shapes(rng, facts["shapes"]), same
    if skill == "find":
        return scene, *dialogues.find_shape(rng, facts["shapes"]), near_box
    if skill == "json":
        question = rng.choice(dialogues.ASK[kind]) + rng.choice(dialogues.JSON_ASKS)
        return scene, question, dialogues.as_json(kind, facts), near_json
    if skill == "look":
        return scene, rng.choice(dialogues.ASK["look"]), dialogues.told(kind, facts), looked
    if skill == "cannot":
        others = [k for k in scenes.KINDS[:-1] if k != kind]
        question = rng.choice(dialogues.UNKNOWABLE + dialogues.ASK[rng.choice(others)])
        return scene, question, f"{dialogues.CANNOT}: I see {dialogues.NAMES[kind]}.", same
    judge = near_gauge if kind == "gauge" else same
    return scene, rng.choice(dialogues.ASK[kind]), dialogues.told(kind, facts), judge


class FloatModel:
    def __init__(self, folder):
        import network
        import numpy
        import tokenizers
        import tokens
        import torch
        from PIL import Image

        self.np, self.torch, self.resample = numpy, torch, Image.Resampling.BICUBIC
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.encoder = tokens.Encoder(tokenizer)
        self.tokenizer, self.side = tokenizer, network.SIDE
        self.model = network.EdgeDemoV.load(folder, tokenizer)
        self.ends = self.model.text.config.eos_token_id

    def answer(self, scene, question):
        torch, encoder = self.torch, self.encoder
        ids = encoder.message("user", question, "before" if scene else None)
        ids = torch.tensor([[*ids, encoder.id["<|assistant|>"], *encoder.newline]])
        said = []
        with torch.no_grad():
            embedded = self.model.text.get_input_embeddings()(ids)
            if scene:
                small = scene.image.resize((self.side, self.side), self.resample)
                pixels = torch.from_numpy(self.np.array(small))[None]
                embedded = self.model.embed(ids, self.model.see(pixels)[1])
            past = None
            while len(said) < 80:
                out = self.model.text(inputs_embeds=embedded, past_key_values=past, use_cache=True)
                token, past = int(out.logits[0, -1].argmax()), out.past_key_values
                if token in self.ends:
                    break
                said.append(token)
                embedded = self.model.text.get_input_embeddings()(torch.tensor([[token]]))
        return self.tokenizer.decode(said)


class ServedModel:
    def __init__(self, url):
        self.url = url.rstrip("/")

    def answer(self, scene, question):
        content = [{"type": "text", "text": question}]
        if scene:
            png = io.BytesIO()
            scene.image.save(png, "PNG")
            url = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
            content.insert(0, {"type": "image_url", "image_url": {"url": url}})
        body = {"model": "edge-demo-v", "temperature": 0, "max_tokens": 80}
        body["messages"] = [{"role": "user", "content": content}]
        request = urllib.request.Request(
            self.url + "/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["choices"][0]["message"]["content"]


def measure(model, count, verbose):
    right = {}
    for skill in SKILLS:
        hits = 0
        for number in range(count):
            scene, question, true, judge = case(skill, number)
            said = model.answer(scene, question)
            hits += judge(said, true)
            if verbose and not judge(said, true):
                print(f"  {question}  true: {true}  said: {said}")
        right[skill] = hits
        print(f"{skill}: {hits} of {count}", flush=True)
    return {"count": count, "right": right}


def report(folder):
    parts = [json.loads((folder / f"results-{kind}.json").read_text()) for kind in ("float", "served")]
    lines = [
        "# edge-demo-v: accuracy",
        "",
        f"Scenes never trained on ({parts[0]['count']} for each skill), made by `scenes.py`; measured by",
        "`tools/edge-demo-v/evaluate.py`: the checkpoint in float32 by transformers, and as the daemon",
        "serves it, in INT8, images sent as PNG over HTTP. Greedy. In percent.",
        "",
        "| skill | float32 | INT8 |",
        "|---|---|---|",
    ]
    for skill, name in SKILLS.items():
        shares = [f"{100 * part['right'][skill] / part['count']:.1f}" for part in parts]
        lines.append(f"| {name} | {' | '.join(shares)} |")
    (folder / "report.md").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=["float", "served", "report"])
    parser.add_argument("model", nargs="?", help="folder or address")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--count", type=int, default=300, help="scenes for each skill")
    parser.add_argument("--verbose", action="store_true", help="print what was wrong")
    args = parser.parse_args()
    if args.what == "report":
        return report(args.folder)
    model = ServedModel(args.model) if args.what == "served" else FloatModel(pathlib.Path(args.model))
    results = measure(model, args.count, args.verbose)
    (args.folder / f"results-{args.what}.json").write_text(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
