"""Times of 1, 5, 20 and 100 questions of /v1/decisions about one image, and about one text.

usage: decisions.py [--edgegate PROGRAM] [--model BUNDLE] [--text-model MODEL] [--runs N]

Each request has an image or a text that the daemon has not seen, so that it is encoded and prefilled.
The numbers of questions alternate. Each time is the median of N requests on one connection.
"""

import argparse
import http.client
import json
import pathlib
import random
import statistics
import time

import png_image
import process

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COUNTS = (1, 5, 20, 100)
COLORS = ("red", "green", "yellow", "blue")
WORDS = "pump valve door gate hot cold open closed full empty alarm water gas oil air fan".split()


def image_questions(count):
    asks = ["Is the {} light on?", "Is a {} light on?", "Is there a {} light?"]
    return [
        {"type": "predicate", "instructions": asks[i // len(COLORS) % len(asks)].format(COLORS[i % len(COLORS)])}
        for i in range(count)
    ]


def text_questions(count):
    return [
        {"type": "predicate", "instructions": f"The {WORDS[i % 16]} number {i} is {WORDS[i % 7 + 4]}."}
        for i in range(count)
    ]


def new_image(seed, side):
    url = png_image.url(side, seed)
    return [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]


def new_text(seed, words):
    rng = random.Random(seed)
    return f"Report {seed}: " + " ".join(rng.choice(WORDS) for _ in range(words))


class Client:
    def __init__(self, port):
        self.connection = http.client.HTTPConnection(process.LOOPBACK, port)

    def decide(self, body):
        """Seconds of one request."""
        data = json.dumps(body)
        began = time.perf_counter()
        self.connection.request("POST", "/v1/decisions", data)
        answer = self.connection.getresponse()
        parsed = json.load(answer)
        took = time.perf_counter() - began
        if answer.status != 200 or len(parsed["answers"]) != len(body["questions"]):
            raise RuntimeError(parsed)
        return took


def measure(client, model, inputs, questions, runs):
    """Median seconds by number of questions."""
    times = {count: [] for count in COUNTS}
    for run in range(runs + 2):
        for count in COUNTS:
            took = client.decide({"model": model, "input": next(inputs), "questions": questions(count)})
            if run >= 2:  # the first requests start workers
                times[count].append(took)
    return {count: statistics.median(values) for count, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edgegate", default=str(ROOT / "build/release/edgegate"))
    parser.add_argument("--model", help="a vision model (default: the built-in edge-demo-v)")
    parser.add_argument("--text-model", default=str(ROOT / "models/SmolLM2-135M-Instruct.Q4_1.gguf"))
    parser.add_argument("--side", type=int, default=224, help="side of the image, in pixels")
    parser.add_argument("--words", type=int, default=300, help="words of the text")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    vision = options.model or pathlib.Path(options.edgegate).resolve().parent / "edge-demo-v.edgegate"
    command = [options.edgegate, "serve", "--log.level", "warn"]
    command += ["--model", f"vision={vision}", "--model", f"text={options.text_model}"]
    with process.Server(command) as server:
        client = Client(server.port)
        images = (new_image(seed, options.side) for seed in range(1, 1 << 30))
        texts = (new_text(seed, options.words) for seed in range(1, 1 << 30))
        rows = {
            f"an image of {options.side} pixels": measure(client, "vision", images, image_questions, options.runs),
            f"a text of {options.words} words": measure(client, "text", texts, text_questions, options.runs),
        }
    print("| input | " + " | ".join(f"{count} questions" for count in COUNTS) + " | 20 to 1 |")
    print("|---" * (len(COUNTS) + 2) + "|")
    for name, row in rows.items():
        cells = " | ".join(f"{1000 * row[count]:.1f} ms" for count in COUNTS)
        print(f"| {name} | {cells} | {row[20] / row[1]:.2f} |")


if __name__ == "__main__":
    main()
