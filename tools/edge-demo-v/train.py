"""Trains edge-demo-v by phases: the tower with direct heads, the language part on top, all together.

    python3 train.py OUT [--threads N]     about two and a half hours on two cores

Writes OUT/state.pt, from which a stopped training continues, and at the end a Hugging Face directory. Needs
the packages of requirements.txt. The same seed and number of threads give the same model, on one kind of
processor.
"""

import argparse
import math
import pathlib
import random
import time

import heads
import network
import numpy as np
import scenes
import tokenizers
import tokens
import torch
from PIL import Image
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

LENGTH = 72  # of a conversation of several turns, tokens
SINGLE_SHARE = 0.85  # of the batches: conversations of one turn, which only the image answers
TALKS = 3  # conversations about each image
TALK_SHARE = 0.12  # of the conversations that have no image
# Frequencies of the kinds of scenes, in the phase "see" and later. Hard kinds are more frequent.
SEEING = [14, 25, 20, 13, 26, 2]
SPEAKING = [16, 16, 16, 40, 9, 3]
# Phases: name, number of steps, factor of the learning rate. In "see" the tower and its heads
# learn. In "speak" the language part learns and the tower is fixed. In "all" everything learns.
PLAN = "see:3400:1 speak:400:1 all:700:1 see:2200:0.4 speak:300:1 all:1500:1.6"
# Highest learning rates of the vision part (tower, adapter, heads) and of the language part.
RATES = {"see": (1e-3, 0.0), "speak": (0.0, 1.5e-3), "all": (1.5e-4, 5e-4)}


class Samples(IterableDataset):
    """Batches. The contents of a batch depend on its number alone."""

    def __init__(self, tokenizer, seed, first, last, size, speak):
        self.encoder = tokens.Encoder(tokenizer)
        self.seed, self.first, self.last, self.size, self.speak = seed, first, last, size, speak

    def __iter__(self):
        torch.set_num_threads(1)
        for number in range(self.first, self.last):
            yield self.batch(number)

    def batch(self, number):
        pixels, taught, talks = [], [], []
        turns = 1 if random.Random(number).random() < SINGLE_SHARE else 4
        for i in range(self.size):
            seed = 10_000_000 * self.seed + number * self.size + i
            rng = random.Random(-seed)
            scene = None
            if not self.speak or rng.random() >= TALK_SHARE:
                kind = rng.choices(scenes.KINDS, SPEAKING if self.speak else SEEING)[0]
                scene = scenes.make_scene(seed, kind, rng.choice([168, 224]))
                small = scene.image.resize((network.SIDE,) * 2, Image.Resampling.BICUBIC)
                pixels.append(np.asarray(small))
                taught.append(heads.targets(scene))
            if self.speak:
                for _ in range(TALKS):
                    talks.append(self.encoder.conversation(rng, scene, LENGTH, turns))
        classes, boxes, marks = (torch.tensor(part) for part in zip(*taught))
        batch = [torch.from_numpy(np.stack(pixels)), classes, boxes, marks]
        if self.speak:
            longest = max(len(ids) for ids, _ in talks)
            for part, filler in ((0, 0), (1, tokens.IGNORED)):
                padded = [t[part] + [filler] * (longest - len(t[part])) for t in talks]
                batch.append(torch.tensor(padded))
        return batch


def rate(step, steps, top, warm):
    if step < warm:
        return top * (step + 1) / warm
    return top * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (steps - warm))))


def speaking_loss(model, rows, ids, labels):
    hidden = model(ids, rows)[:, :-1]
    wanted = labels[:, 1:]
    spoken = wanted != tokens.IGNORED
    logits = model.text.lm_head(hidden[spoken])
    wanted = wanted[spoken]
    return F.cross_entropy(logits.float(), wanted), (logits.argmax(1) == wanted).float().mean().item()


def make_optimizers(model, direct):
    """Muon (Jordan 2024) for the matrices, which learn in fewer steps with it, AdamW for the rest."""
    seeing = [*model.tower.named_parameters(), *model.adapter.named_parameters()]
    speaking = list(model.text.named_parameters())

    def matrices(named, wanted):
        return [p for n, p in named if (p.ndim == 2 and "embed" not in n) == wanted]

    muon = [
        {"params": matrices(seeing, True), "speaks": False, "times": 2.0},
        {"params": matrices(speaking, True), "speaks": True, "times": 1.5},
    ]
    adam = [
        {"params": matrices(seeing, False) + list(direct.parameters()), "speaks": False, "times": 1.0},
        {"params": matrices(speaking, False), "speaks": True, "times": 1.0},
    ]
    return [
        torch.optim.Muon(muon, lr=0.0, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(adam, lr=0.0, betas=(0.9, 0.98), weight_decay=0.02),
    ]


class Trainer:
    def __init__(self, args, tokenizer):
        self.args, self.tokenizer = args, tokenizer
        plan = [phase.split(":") for phase in args.plan.split()]
        self.phases = [(name, int(steps), float(share)) for name, steps, share in plan]
        torch.manual_seed(args.seed)
        self.model = network.EdgeDemoV(tokenizer)
        if args.start:
            self.model = network.EdgeDemoV.load(args.start, tokenizer).train()
        self.heads = heads.Heads()
        self.state = args.out / "state.pt"
        self.optimizers = make_optimizers(self.model, self.heads)
        self.step = 0
        if self.state.exists():
            saved = torch.load(self.state)
            self.step = saved["step"]
            self.model.load_state_dict(saved["model"])
            self.heads.load_state_dict(saved["heads"])
            for optimizer, state in zip(self.optimizers, saved["optimizers"]):
                optimizer.load_state_dict(state)

    def save(self):
        saved = {"step": self.step, "model": self.model.state_dict(), "heads": self.heads.state_dict()}
        saved["optimizers"] = [optimizer.state_dict() for optimizer in self.optimizers]
        torch.save(saved, self.state.with_suffix(".part"))
        self.state.with_suffix(".part").rename(self.state)

    def phase(self):
        """Returns (name, first step, steps, factor of the rate) of the current phase."""
        first = 0
        for name, steps, share in self.phases:
            if self.step < first + steps:
                return name, first, steps, share
            first += steps

    def rates(self):
        """Returns the learning rates of the vision part and of the language part at this step."""
        name, first, steps, share = self.phase()
        at, warm = self.step - first, min(400, steps // 8)
        return [rate(at, steps, top * share, warm) for top in RATES[name]]

    def train_step(self, batch):
        rates = self.rates()
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rates[group["speaks"]] * group["times"]
        pixels, classes, boxes, marks, *talk = batch
        apart = self.phase()[0] == "speak"
        with torch.autocast("cpu", torch.bfloat16):
            with torch.set_grad_enabled(not apart):
                patches, rows = self.model.see(pixels)
            loss, right = 0.0, {}
            if not apart:
                loss, right = self.heads.loss(patches, rows, classes, boxes, marks)
            if talk:
                rows = rows.repeat_interleave(TALKS, 0)
                spoken, share = speaking_loss(self.model, rows, *talk)
                loss = 3 * spoken + 0.3 * loss
                right |= {"loss": spoken.item(), "tokens": share}
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        return right

    def run(self):
        a = self.args
        total = sum(steps for _, steps, _ in self.phases)
        while self.step < total:
            name, first, steps, _ = self.phase()
            last, speak = first + steps, name != "see"
            samples = Samples(self.tokenizer, a.seed, self.step, last, a.batch, speak)
            loader = DataLoader(samples, batch_size=None, num_workers=1, prefetch_factor=8)
            sums, began = {}, time.time()
            for batch in loader:
                for name, value in self.train_step(batch).items():
                    sums.setdefault(name, []).append(value)
                if self.step % 100 == 0 or self.step == last:
                    pace = 100 * a.batch / (time.time() - began)
                    told = "  ".join(f"{k} {np.mean(v):.3f}" for k, v in sums.items())
                    print(f"step {self.step}/{total}  {pace:.0f}/s  {told}", flush=True)
                    sums, began = {}, time.time()
                if self.step % 500 == 0:
                    self.save()
        self.save()
        self.model.eval().save(a.out, self.tokenizer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=pathlib.Path, help="folder for the model")
    parser.add_argument("--start", type=pathlib.Path, help="a model to go on from, instead of none")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--plan", default=PLAN, help="phases and their steps")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    known = args.out / "tokenizer.json"
    if known.exists():
        tokenizer = tokenizers.Tokenizer.from_file(str(known))
    else:
        tokenizer = tokens.make_tokenizer()
        tokenizer.save(str(known))
    Trainer(args, tokenizer).run()


if __name__ == "__main__":
    main()
