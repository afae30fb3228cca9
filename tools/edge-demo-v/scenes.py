"""Synthetic scenes of gauges, displays, lights, shapes and signs, with their facts.

A scene is drawn from a seed alone: gauges, seven-segment displays, indicator lights, coloured
shapes, signs with a word, and images with none of these. Needs numpy and Pillow.
"""

import dataclasses
import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

KINDS = ["gauge", "display", "lights", "shapes", "sign", "nothing"]
UNITS = ["bar", "°C", "%"]
LIGHT_COLORS = ["red", "green", "yellow", "blue"]
SHAPES = ["circle", "square", "triangle", "star"]
SHAPE_COLORS = ["red", "green", "blue", "yellow", "purple", "black"]
WORDS = """OPEN CLOSED EXIT STOP PUMP VALVE DOOR GATE HOT COLD ON OFF START RESET ALARM FIRE WATER GAS
OIL AIR FAN HEAT COOL POWER MAIN TEST RUN IDLE READY BUSY ERROR FAULT SAFE DANGER HIGH LOW FULL EMPTY
LEFT RIGHT UP DOWN IN OUT PUSH PULL ENTRY STAFF LAB OFFICE STORE ROOM DOCK YARD ZONE LINE UNIT TANK
BOILER MOTOR DRIVE LIFT STAIRS SLOW""".split()

RGB = {
    "red": (214, 40, 40),
    "green": (38, 158, 62),
    "blue": (38, 82, 214),
    "yellow": (240, 200, 30),
    "purple": (140, 50, 170),
    "black": (25, 25, 25),
}


@dataclasses.dataclass
class Scene:
    kind: str
    image: Image.Image
    facts: dict  # facts of the scene: see each draw_ function
    marks: list  # (x0, y0, x1, y1, name) of each object, in fractions of the side


class Canvas:
    """A square image whose coordinates are fractions of its side."""

    def __init__(self, rng, side, background):
        self.rng = rng
        self.side = side
        self.image = Image.new("RGB", (side, side), background)
        self.draw = ImageDraw.Draw(self.image)
        self.marks = []

    def scale(self, points):
        return [v * self.side for v in points]

    def mark(self, box, name):
        self.marks.append((*box, name))

    def rectangle(self, box, **how):
        self.draw.rectangle(self.scale(box), **how)

    def ellipse(self, x, y, radius, **how):
        box = self.scale((x - radius, y - radius, x + radius, y + radius))
        self.draw.ellipse(box, **how)

    def polygon(self, points, fill):
        self.draw.polygon([tuple(self.scale(p)) for p in points], fill=fill)

    def line(self, points, width, fill):
        self.draw.line(self.scale(points), fill=fill, width=max(1, round(width * self.side)))

    def text(self, x, y, text, height, fill):
        font = ImageFont.load_default(max(4, height * self.side))
        self.draw.text(self.scale((x, y)), text, font=font, fill=fill, anchor="mm")


def vary(rng, color, by=18):
    return tuple(max(0, min(255, c + rng.randint(-by, by))) for c in color)


def pale(rng):
    level = rng.randint(165, 250)
    return vary(rng, (level, level, level), 14)


def dark(rng):
    level = rng.randint(10, 80)
    return vary(rng, (level, level, level), 12)


def surroundings(rng):
    return pale(rng) if rng.random() < 0.6 else dark(rng)


def draw_gauge(rng, side):
    """facts: value (0 .. 1 of the scale), unit, reading (text)."""
    canvas = Canvas(rng, side, surroundings(rng))
    x, y, radius = rng.uniform(0.45, 0.55), rng.uniform(0.45, 0.55), rng.uniform(0.34, 0.44)
    light = rng.random() < 0.7
    face = vary(rng, (240, 240, 235), 12) if light else vary(rng, (30, 30, 35), 14)
    ink = (20, 20, 20) if light else (235, 235, 235)
    needle = rng.choice([(200, 20, 20), ink, (220, 110, 10)])
    canvas.ellipse(x, y, radius * 1.08, fill=vary(rng, (90, 90, 95), 40))
    canvas.ellipse(x, y, radius, fill=face)
    unit = rng.choice(UNITS)
    whole = rng.randint(0, 100)

    def at(fraction, distance):
        angle = math.radians(225 - 270 * fraction)
        return (
            x + math.cos(angle) * radius * distance,
            y - math.sin(angle) * radius * distance,
        )

    for tick in range(51):
        major = tick % 5 == 0
        inner, width = (0.80, 0.035) if major else (0.88, 0.012)
        canvas.line((*at(tick / 50, inner), *at(tick / 50, 0.95)), width * radius, ink)
    for label in range(0, 11, 2):
        text = str(label if unit == "bar" else label * 10)
        canvas.text(*at(label / 10, 0.64), text, 0.17 * radius, ink)
    canvas.text(x, y + 0.48 * radius, unit, 0.27 * radius, ink)
    tip, tail = at(whole / 100, rng.uniform(0.72, 0.86)), at(whole / 100, -0.18)
    canvas.line((*tail, *tip), rng.uniform(0.04, 0.075) * radius, needle)
    canvas.ellipse(x, y, rng.uniform(0.06, 0.1) * radius, fill=needle)
    canvas.mark((x - radius, y - radius, x + radius, y + radius), "face")
    reading = f"{whole / 10:.1f}" if unit == "bar" else str(whole)
    facts = {"value": whole / 100, "unit": unit, "reading": f"{reading} {unit}"}
    return canvas, facts


#   0
# 5   1
#   6
# 4   2
#   3
SEGMENTS = ["012345", "12", "01346", "01236", "1256", "02356", "023456", "012", "0123456", "012356"]


def draw_digit(canvas, box, digit, thick, slant, on, off):
    x0, y0, x1, y1 = box
    middle = (y0 + y1) / 2
    half, gap = thick / 2, thick * 0.15

    def level(y):
        left, right = x0 + half + gap, x1 - half - gap
        points = [(left - half, y), (left, y - half), (right, y - half), (right + half, y)]
        return points + [(right, y + half), (left, y + half)]

    def upright(x, top, bottom):
        top, bottom = top + half + gap, bottom - half - gap
        points = [(x, top - half), (x + half, top), (x + half, bottom), (x, bottom + half)]
        return points + [(x - half, bottom), (x - half, top)]

    left, right, top, bottom = x0 + half, x1 - half, y0 + half, y1 - half
    shapes = [level(top), upright(right, top, middle), upright(right, middle, bottom)]
    shapes += [level(bottom), upright(left, middle, bottom), upright(left, top, middle)]
    shapes += [level(middle)]
    for i, shape in enumerate(shapes):
        color = on if str(i) in SEGMENTS[digit] else off
        if color is not None:
            canvas.polygon([(x + slant * (middle - y), y) for x, y in shape], color)


def draw_display(rng, side):
    """facts: text, such as "0125" or "12.5"; digits; point (how many digits stand after it)."""
    canvas = Canvas(rng, side, surroundings(rng))
    count = rng.randint(2, 4)
    height = rng.uniform(0.27, min(0.4, 0.88 / (0.7 * count)))
    width, pitch = height * rng.uniform(0.5, 0.56), height * 0.7
    total = pitch * count
    x, y = 0.5 + rng.uniform(-1, 1) * (0.94 - total) / 2, rng.uniform(0.35, 0.65)
    pad = height * rng.uniform(0.15, 0.3)
    plate = (x - total / 2 - pad / 2, y - height / 2 - pad, x + total / 2 + pad / 2)
    style = rng.choice(["red", "green", "amber", "lcd", "white"])
    if style == "lcd":
        back, on = vary(rng, (165, 185, 150), 15), vary(rng, (30, 38, 30), 10)
    else:
        back = vary(rng, (18, 18, 20), 10)
        colors = {"red": (255, 45, 35), "green": (60, 255, 90), "amber": (255, 175, 30)}
        on = vary(rng, colors.get(style, (235, 240, 255)), 15)
    off = tuple((7 * b + o) // 8 for b, o in zip(back, on)) if rng.random() < 0.5 else None
    canvas.rectangle((*plate, y + height / 2 + pad), fill=back, outline=vary(rng, (70, 70, 70), 40))
    thick, slant = height * rng.uniform(0.12, 0.17), rng.uniform(0, 0.12)
    digits = [rng.randint(0, 9) for _ in range(count)]
    point = rng.choice([0, 0, 1, 1, 2]) if count > 2 else rng.choice([0, 1])
    for i, digit in enumerate(digits):
        left = x - total / 2 + i * pitch + (pitch - width) / 2
        box = (left, y - height / 2, left + width, y + height / 2)
        draw_digit(canvas, box, digit, thick, slant, on, off)
        canvas.mark((left - 0.1 * height, box[1], left + width + 0.1 * height, box[3]), str(digit))
        if point and i == count - 1 - point:
            canvas.ellipse(left + width + (pitch - width) / 2, box[3] - thick / 2, thick * 0.62, fill=on)
    text = "".join(map(str, digits))
    if point:
        text = f"{text[:-point]}.{text[-point:]}"
    return canvas, {"text": text, "digits": digits, "point": point}


def draw_lights(rng, side):
    """facts: lights, from the left or from the top: "off" or a colour each."""
    panel = vary(rng, rng.choice([(60, 62, 66), (150, 152, 155), (205, 205, 200), (35, 45, 60)]), 14)
    canvas = Canvas(rng, side, panel)
    count, across = rng.randint(2, 4), rng.random() < 0.7
    pitch = rng.uniform(0.19, 0.24)
    radius = pitch * rng.uniform(0.32, 0.4)
    first = 0.5 - pitch * (count - 1) / 2 + rng.uniform(-1, 1) * (0.9 - pitch * count) / 2
    other = rng.uniform(0.3, 0.7)
    colors = {"red": (255, 40, 35), "green": (50, 240, 70), "yellow": (255, 215, 40)}
    colors["blue"] = (50, 110, 255)
    lights = []
    for i in range(count):
        x, y = (first + i * pitch, other) if across else (other, first + i * pitch)
        color = rng.choice(LIGHT_COLORS)
        lit = rng.random() < 0.55
        canvas.ellipse(x, y, radius * 1.22, fill=vary(rng, (22, 22, 22), 8))
        if lit:
            canvas.ellipse(x, y, radius, fill=vary(rng, colors[color], 10))
            glow = tuple((c + 2 * 255) // 3 for c in colors[color])
            canvas.ellipse(x, y, radius * 0.42, fill=glow)
        else:
            canvas.ellipse(x, y, radius, fill=tuple(45 + c // 10 for c in colors[color]))
        lights.append(color if lit else "off")
        reach = pitch / 2
        canvas.mark((x - reach, y - reach, x + reach, y + reach), f"light {lights[-1]}")
    return canvas, {"lights": lights}


def outline(shape, x, y, reach, turn):
    if shape == "square":
        corners = [(math.pi / 4 + i * math.pi / 2, 1.0) for i in range(4)]
        turn *= 0.25
    elif shape == "triangle":
        corners = [(-math.pi / 2 + i * math.tau / 3, 1.0) for i in range(3)]
    else:
        corners = [(-math.pi / 2 + i * math.pi / 5, 1.0 if i % 2 == 0 else 0.42) for i in range(10)]
    return [
        (x + reach * r * math.cos(a + turn), y + reach * r * math.sin(a + turn)) for a, r in corners
    ]


def draw_shapes(rng, side):
    """facts: shapes, in reading order: {"shape", "color", "box": percent of the side, "cell": 0 .. 8}."""
    canvas = Canvas(rng, side, pale(rng))
    shapes = []
    for cell in sorted(rng.sample(range(9), rng.randint(1, 5))):
        shape, color = rng.choice(SHAPES), rng.choice(SHAPE_COLORS)
        reach = rng.uniform(0.095, 0.145)
        x = (cell % 3 + 0.5) / 3 + rng.uniform(-0.02, 0.02)
        y = (cell // 3 + 0.5) / 3 + rng.uniform(-0.02, 0.02)
        fill = vary(rng, RGB[color], 14)
        if shape == "circle":
            canvas.ellipse(x, y, reach, fill=fill)
            box = (x - reach, y - reach, x + reach, y + reach)
        else:
            points = outline(shape, x, y, reach * 1.12, rng.uniform(-0.25, 0.25))
            canvas.polygon(points, fill)
            xs, ys = zip(*points)
            box = (min(xs), min(ys), max(xs), max(ys))
        canvas.mark(box, f"{color} {shape}")
        percent = [max(0, min(99, round(100 * v))) for v in box]
        shapes.append({"shape": shape, "color": color, "box": percent, "cell": cell})
    return canvas, {"shapes": shapes}


def draw_sign(rng, side):
    """facts: word."""
    canvas = Canvas(rng, side, surroundings(rng))
    word = rng.choice(WORDS)
    plate, ink = rng.choice(
        [
            ((245, 245, 240), (20, 20, 20)),
            ((250, 210, 40), (20, 20, 20)),
            ((200, 30, 30), (250, 250, 250)),
            ((20, 120, 60), (250, 250, 250)),
            ((30, 70, 170), (250, 250, 250)),
            ((30, 30, 30), (250, 250, 250)),
        ]
    )
    wide = rng.uniform(0.62, 0.86) if len(word) > 3 else rng.uniform(0.4, 0.7)
    unit = ImageFont.load_default(100).getlength(word) / 100
    height = min(wide / unit, 0.32)
    wide = height * unit
    x, y = 0.5 + rng.uniform(-1, 1) * (0.9 - wide) / 2, rng.uniform(0.3, 0.7)
    pad = rng.uniform(0.04, 0.05)
    box = (x - wide / 2 - pad, y - height * 0.6 - pad, x + wide / 2 + pad, y + height * 0.6 + pad)
    canvas.rectangle(box, fill=vary(rng, plate, 10), outline=vary(rng, ink, 5))
    canvas.text(x, y, word, height, vary(rng, ink, 5))
    font = ImageFont.load_default(100)
    left = x - wide / 2
    for i, letter in enumerate(word):
        start, end = (left + font.getlength(word[:n]) / 100 * height for n in (i, i + 1))
        canvas.mark((start, y - height * 0.45, end, y + height * 0.45), letter)
    return canvas, {"word": word}


def draw_nothing(rng, side):
    """facts: none."""
    canvas = Canvas(rng, side, surroundings(rng))
    for _ in range(rng.choice([0, 0, 1, 3, 8])):
        points = [rng.random() for _ in range(4)]
        canvas.line(points, rng.uniform(0.005, 0.03), vary(rng, rng.choice(list(RGB.values())), 40))
    return canvas, {}


DRAW = {
    "gauge": draw_gauge,
    "display": draw_display,
    "lights": draw_lights,
    "shapes": draw_shapes,
    "sign": draw_sign,
    "nothing": draw_nothing,
}


def weather(rng, image):
    """Adds camera effects: uneven light, a little blur, noise."""
    if rng.random() < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.9) * image.width / 224))
    pixels = np.asarray(image).astype(np.float32)
    side = pixels.shape[0]
    ramp = np.linspace(-1, 1, side, dtype=np.float32)
    tilt = rng.uniform(-0.12, 0.12) * ramp[:, None] + rng.uniform(-0.12, 0.12) * ramp[None, :]
    pixels *= (rng.uniform(0.85, 1.08) + tilt)[:, :, None]
    noise = np.random.default_rng(rng.getrandbits(32)).standard_normal((side, side, 1), np.float32)
    pixels += noise * rng.uniform(0, 9)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def make_scene(seed, kind=None, side=224):
    """Makes the scene of this seed. `kind`: None chooses one."""
    rng = random.Random(seed)
    chosen = rng.choices(KINDS, [20, 24, 16, 20, 20, 4])[0]
    kind = kind or chosen
    canvas, facts = DRAW[kind](rng, side)
    return Scene(kind, weather(rng, canvas.image), facts, canvas.marks)
