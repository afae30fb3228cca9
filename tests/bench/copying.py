"""Answers of SmolLM2-135M that repeat their prompt, with engine.speculation and without."""

import asyncio
import functools

import client
from report import Figure, Part, Subject

ANSWERS = 3  # length of answers, relative to the other parts
TEXT = client.TEXT.split("\n\n")[0]
PROMPTS = {
    "copy": f"Repeat the following text exactly, word for word:\n\n{TEXT}",
    "edit": f'Repeat the following text, but write "river" where it says "canal":\n\n{TEXT}',
    "summary": f"Summarize the following text in three sentences:\n\n{TEXT}",
    "story": "Tell me a story about a lighthouse keeper and a lost sailor.",
}


def measure(places, tokens, speculation):
    """Decode tok/s of each prompt, alone, from usage and the times of the first and last part."""
    figures = {}
    settings = ("--engine.speculation", "true" if speculation else "false")
    with places.serve(places.bundle("int8"), *settings) as server:
        asyncio.run(client.ask(server.port, client.chat("Hello", 8)))
        for key, prompt in PROMPTS.items():
            answer = asyncio.run(client.ask(server.port, client.chat(prompt, tokens)))
            seconds = max(answer.marks[-1] - answer.marks[0], 1e-6)  # avoids 0 for an answer in one part
            figures[key] = (answer.tokens() - 1) / seconds
            figures[f"{key}_text"] = answer.text
    return figures


def same_texts(rounds):
    texts = [{f[f"{key}_text"] for of in rounds.values() for f in of} for key in PROMPTS]
    same = all(len(of_prompt) == 1 for of_prompt in texts)
    return ["the answers are " + ("the same texts with and without" if same else "NOT the same")]


def make(places, options):
    """Part "copying"."""
    ours = "with"
    measured = functools.partial(measure, places, ANSWERS * options.tokens)
    return Part(
        "SmolLM2-135M INT8, one client: engine.speculation on and off",
        [
            Subject(ours, functools.partial(measured, True)),
            Subject("without", functools.partial(measured, False), ours),
        ],
        [Figure(key, f"{key}: decode, tok/s") for key in PROMPTS],
        remarks=same_texts,
    )
