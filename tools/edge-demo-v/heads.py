"""Heads that train the tower before the language part: direct heads on the image's rows and patches.

With the language loss alone, training stays at chance; with these heads it does not. They are
dropped after the training. Needs torch.
"""

import network
import scenes
import torch
from torch import nn
from torch.nn import functional as F

GRID = network.SIDE // network.VISION["patch_size"]
MARKS = (
    ["", "face"]
    + [str(d) for d in range(10)]
    + [chr(c) for c in range(ord("A"), ord("Z") + 1)]
    + [f"light {c}" for c in [*scenes.LIGHT_COLORS, "off"]]
    + [f"{c} {s}" for c in scenes.SHAPE_COLORS for s in scenes.SHAPES]
)
MARK_ID = {name: i for i, name in enumerate(MARKS)}
DIGITS, LIGHTS, CELLS, BINS, LETTERS = 4, 5, 9, 101, 6
LIGHT_ID = {name: i for i, name in enumerate(["", "off", *scenes.LIGHT_COLORS])}
# Outputs of each head: name -> (places, classes).
HEADS = {
    "kind": (1, len(scenes.KINDS)),
    "unit": (1, len(scenes.UNITS)),
    "needle": (1, BINS),
    "digits": (DIGITS, 11),
    "point": (1, 3),
    "lights": (LIGHTS, len(LIGHT_ID)),
    "cells": (CELLS, 1 + len(scenes.SHAPE_COLORS) * len(scenes.SHAPES)),
    "word": (1, len(scenes.WORDS)),
    "letters": (LETTERS, 27),
}
NONE = -100  # this head has nothing to learn from the scene


def targets(scene):
    """Class ids of every head, in HEADS' order and flat; boxes [CELLS * 4]; marks [GRID * GRID]."""
    facts, t = scene.facts, {name: [NONE] * places for name, (places, _) in HEADS.items()}
    boxes = [-1.0] * (CELLS * 4)
    t["kind"] = [scenes.KINDS.index(scene.kind)]
    if scene.kind == "gauge":
        t["needle"], t["unit"] = [round(facts["value"] * 100)], [scenes.UNITS.index(facts["unit"])]
    elif scene.kind == "display":
        t["digits"] = (facts["digits"] + [10] * DIGITS)[:DIGITS]
        t["point"] = [facts["point"]]
    elif scene.kind == "lights":
        t["lights"] = ([LIGHT_ID[c] for c in facts["lights"]] + [0] * LIGHTS)[:LIGHTS]
    elif scene.kind == "shapes":
        t["cells"] = [0] * CELLS
        for s in facts["shapes"]:
            color, shape = scenes.SHAPE_COLORS.index(s["color"]), scenes.SHAPES.index(s["shape"])
            t["cells"][s["cell"]] = 1 + color * len(scenes.SHAPES) + shape
            boxes[s["cell"] * 4 : s["cell"] * 4 + 4] = [v / 100 for v in s["box"]]
    elif scene.kind == "sign":
        t["word"] = [scenes.WORDS.index(facts["word"])]
        letters = [ord(c) - ord("A") + 1 for c in facts["word"]]
        t["letters"] = (letters + [0] * LETTERS)[:LETTERS]
    marks = [0] * (GRID * GRID)
    for i in range(GRID * GRID):
        x, y = (i % GRID + 0.5) / GRID, (i // GRID + 0.5) / GRID
        for x0, y0, x1, y1, name in scene.marks:
            if x0 <= x < x1 and y0 <= y < y1:
                marks[i] = MARK_ID[name]
    return [c for name in HEADS for c in t[name]], boxes, marks


class Heads(nn.Module):
    def __init__(self):
        super().__init__()
        wide = (network.tokens.IMAGE_ROWS - 2) * network.WIDTH
        self.norm = nn.LayerNorm(wide)
        self.outputs = sum(places * classes for places, classes in HEADS.values())
        self.linear = nn.Linear(wide, self.outputs + CELLS * 4)
        self.marks = nn.Linear(network.WIDTH, len(MARKS))
        # Predicts the marks in each row's four patches. All rows use the same layer, so that the
        # text model can look for it.
        self.rows = nn.Linear(network.WIDTH, len(MARKS))
        nn.init.zeros_(self.rows.weight)
        nn.init.constant_(self.rows.bias, -4.0)  # most marks are absent
        weights = torch.tensor([0.1] + [1.0] * (len(MARKS) - 1))
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, patches, rows):
        out = self.linear(self.norm(rows[:, 1:-1].flatten(1))).float()
        return out[:, : self.outputs], out[:, self.outputs :].sigmoid(), self.marks(patches).float()

    def rows_loss(self, rows, marks):
        half = GRID // 2
        there = F.one_hot(marks, len(MARKS)).view(-1, half, 2, half, 2, len(MARKS)).amax((2, 4))
        logits = self.rows(rows).float().view(there.shape)[..., 1:]
        wanted = there[..., 1:].float()
        return F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / wanted[..., 0].numel()

    def loss(self, patches, rows, classes, boxes, marks):
        """Returns (loss, {head: share of correct predictions})."""
        out, box, mark = self(patches, rows)
        # Most patches show nothing. So the other patches have ten times the weight.
        loss = 4 * F.cross_entropy(mark.flatten(0, 1), marks.flatten(), weight=self.weights)
        loss = loss + self.rows_loss(rows[:, 1:-1], marks)
        something = marks > 0
        right = {"marks": (mark.argmax(2) == marks)[something].float().mean().item()}
        at, place = 0, 0
        for name, (places, count) in HEADS.items():
            logits = out[:, at : at + places * count].reshape(-1, count)
            wanted = classes[:, place : place + places].reshape(-1)
            at, place = at + places * count, place + places
            known = wanted != NONE
            if not known.any():
                continue
            logits, wanted = logits[known], wanted[known]
            if name == "needle":  # values close to the truth are nearly correct
                near = torch.arange(count)[None] - wanted[:, None]
                soft = torch.exp(-0.5 * (near / 1.2) ** 2)
                soft = soft / soft.sum(1, keepdim=True)
                one = -(soft * logits.log_softmax(1)).sum(1).sum()
                hit = ((logits.argmax(1) - wanted).abs() <= 3).float()
            else:
                one = F.cross_entropy(logits, wanted, reduction="sum")
                hit = (logits.argmax(1) == wanted).float()
            loss = loss + one / classes.shape[0]
            right[name] = hit.view(-1, places).min(1).values.mean().item()
        seen = boxes >= 0
        if seen.any():
            loss = loss + 5 * (box[seen] - boxes[seen]).abs().sum() / classes.shape[0]
        return loss, right
