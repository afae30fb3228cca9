"""edge-demo-v's tokenizer, its chat template, and conversations as token ids."""

import random

import dialogues
import scenes
import small_talk
import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

# The special tokens of all four GLM-Edge models, in their order.
SPECIALS = [
    "<|endoftext|>",
    "[MASK]",
    "[gMASK]",
    "[sMASK]",
    "<sop>",
    "<eop>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|observation|>",
    "<|begin_of_image|>",
    "<|end_of_image|>",
    "<|begin_of_video|>",
    "<|end_of_video|>",
]
PIECES = 882  # with the special tokens, 896: a multiple of 64
IMAGE_ROWS = 18
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>\n"
    "{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for part in m.content %}{% if part.type == 'image' %}"
    "{% for _ in range(18) %}<|begin_of_image|>{% endfor %}"
    "{% elif part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
IGNORED = -100


def corpus(count=20000):
    rng = random.Random(0)
    for i in range(count):
        kind = rng.choice(scenes.KINDS)
        facts = FACTS[kind](rng)
        question, answer = dialogues.turn(rng, kind, facts) if i % 3 else small_talk.talk(rng)
        yield question
        yield answer
    yield from (system for system in dialogues.SYSTEMS for _ in range(50))


def only_facts(draw):
    return lambda rng: draw(rng, 16)[1]


FACTS = {kind: only_facts(draw) for kind, draw in scenes.DRAW.items()}


def make_tokenizer():
    """Trains a byte-level BPE like GLM-Edge's on the dialogues. Each digit is a token."""
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
        r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=PIECES, initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens(SPECIALS)
    return tokenizer


class Encoder:
    """Converts conversations to ids and labels, in the format of the template and edgegate."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.id = {name: tokenizer.token_to_id(name) for name in SPECIALS}
        self.newline = self.text("\n")

    def text(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def message(self, role, text, image=None):
        """`image`: "before" or "after" the text, or None."""
        ids = [self.id[f"<|{role}|>"]]
        rows = [self.id["<|begin_of_image|>"]] * IMAGE_ROWS
        if image == "before":
            return ids + self.newline + rows + self.text(text)
        return ids + self.text("\n" + text) + (rows if image else [])

    def conversation(self, rng, scene, length, most_turns):
        """Returns (ids, labels) of as many turns as fit: about the scene, or small talk if it is None.

        The answer's end is the next turn's <|user|>, as in GLM-Edge.
        """
        ids, labels = [], []
        if rng.random() < 0.12:
            ids += self.message("system", rng.choice(dialogues.SYSTEMS))
        shown = None
        if scene is not None:
            shown = "before" if rng.random() < 0.75 else "after"
        labels += [IGNORED] * len(ids)
        turns = 0
        while turns < most_turns:
            if scene is not None and not (turns and rng.random() < 0.06):
                question, answer = dialogues.turn(rng, scene.kind, scene.facts)
            else:
                question, answer = small_talk.talk(rng)
                if answer == small_talk.NO_PICTURE and scene is not None:
                    continue
            asked = self.message("user", question, shown if turns == 0 else None)
            asked += [self.id["<|assistant|>"]] + self.newline
            said = self.text(answer)
            if len(ids) + len(asked) + len(said) + 1 > length and turns:
                break
            # The first token of `asked` ends the answer before it.
            labels += [asked[0] if turns else IGNORED] + [IGNORED] * (len(asked) - 1) + said
            ids += asked + said
            turns += 1
        ids.append(self.id["<|user|>"])
        labels.append(ids[-1])
        return ids, labels
