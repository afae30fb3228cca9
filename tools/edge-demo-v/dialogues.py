"""Questions and answers about a scene. Standard library only.

Every answer follows from the scene's facts by a fixed form, so that it can be checked.
"""

import json

JSON_ASKS = [
    " Answer in JSON.",
    " Reply as JSON.",
    " As JSON, please.",
    " Give me JSON.",
    " Answer with JSON only.",
]
CANNOT = "I cannot tell"
NAMES = {
    "gauge": "a gauge",
    "display": "a display",
    "lights": "a row of lights",
    "shapes": "coloured shapes",
    "sign": "a sign",
    "nothing": "none of the things that I know",
}

ASK = {
    "gauge": [
        "What does the gauge read?",
        "Read the gauge.",
        "What is the value on the gauge?",
        "What does the dial show?",
        "What is the reading?",
        "Where does the needle point?",
        "Please read the dial.",
        "What value does the gauge show?",
        "Tell me the gauge reading.",
    ],
    "display": [
        "What does the display show?",
        "Read the display.",
        "What number is on the display?",
        "Which number is shown?",
        "What does the display say?",
        "Read the digits.",
        "What are the digits on the display?",
        "Tell me the number on the display.",
    ],
    "lights": [
        "Which lights are on?",
        "What lights are on?",
        "Which lamps are lit?",
        "Which indicators are on?",
        "Tell me which lights are on.",
        "What colour are the lights?",
        "What color are the lights?",
        "Describe the lights.",
    ],
    "lights count": [
        "How many lights are on?",
        "How many lamps are lit?",
        "Count the lights that are on.",
        "How many indicators are on?",
    ],
    "shapes": [
        "Which shapes do you see?",
        "Describe the shapes.",
        "List the shapes.",
        "What shapes are there?",
        "Which shapes are in the picture?",
        "Name the shapes.",
    ],
    "shapes count": [
        "How many shapes are there?",
        "Count the shapes.",
        "How many shapes do you see?",
        "What is the number of shapes?",
        "How many shapes are in the picture?",
    ],
    "sign": [
        "What does the sign say?",
        "Read the sign.",
        "What word is on the sign?",
        "Which word do you see?",
        "What is written on the sign?",
        "Read the text.",
        "What does the label say?",
        "Read the word.",
    ],
    "look": [
        "What do you see?",
        "Describe the picture.",
        "Describe this image.",
        "What is in this picture?",
        "What is in the image?",
        "What is this?",
        "What can you see in this picture?",
        "What does the picture show?",
    ],
}

UNKNOWABLE = [
    "Who is in the picture?",
    "What is the weather like?",
    "Is there a cat?",
    "Is there a person?",
    "How many people are there?",
    "Which car is this?",
    "What brand is it?",
    "Who made this?",
    "Where was this picture taken?",
    "When was this picture taken?",
    "What time is it?",
    "How old is it?",
    "What does it cost?",
    "Is it dangerous?",
    "What will happen next?",
    "Why is it there?",
    "How heavy is it?",
    "Is there a dog in the picture?",
    "What is the licence plate?",
    "What is the person doing?",
]


def listed(parts):
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def lights_on(lights):
    on = [f"{i + 1} ({color})" for i, color in enumerate(lights) if color != "off"]
    if not on:
        return f"None of the {len(lights)} lights is on."
    return f"Of {len(lights)} lights, {listed(on)} {'is' if len(on) == 1 else 'are'} on."


def shape_names(shapes):
    return [f"{s['color']} {s['shape']}" for s in shapes]


def told(kind, facts):
    """The short answer to the standard question about this kind of scene."""
    if kind == "gauge":
        return f"The gauge reads {facts['reading']}."
    if kind == "display":
        return f"The display shows {facts['text']}."
    if kind == "lights":
        return lights_on(facts["lights"])
    if kind == "shapes":
        return f"I see {listed(['a ' + name for name in shape_names(facts['shapes'])])}."
    if kind == "sign":
        return f'The sign says "{facts["word"]}".'
    return f"{CANNOT}: I see {NAMES['nothing']}."


def as_json(kind, facts):
    if kind == "gauge":
        value, unit = facts["reading"].split(" ")
        value = float(value) if "." in value else int(value)
        return json.dumps({"gauge": value, "unit": unit}, ensure_ascii=False)
    if kind == "display":
        return json.dumps({"display": facts["text"]})
    if kind == "lights":
        return json.dumps({"lights": facts["lights"]})
    if kind == "shapes":
        return json.dumps({"shapes": shape_names(facts["shapes"])})
    if kind == "sign":
        return json.dumps({"sign": facts["word"]})
    return json.dumps({"error": "cannot tell"})


def count_shapes(rng, shapes):
    """Asks for the number of all shapes, of a colour, or of a kind."""
    if rng.random() < 0.25:
        n = len(shapes)
        return rng.choice(ASK["shapes count"]), (
            "There is 1 shape." if n == 1 else f"There are {n} shapes."
        )
    key = rng.choice(["color", "shape"])
    of = rng.choice(shapes)[key] if rng.random() < 0.7 else None
    if of is None:
        choices = ["red", "green", "blue", "yellow", "purple", "black"]
        of = rng.choice(choices if key == "color" else ["circle", "square", "triangle", "star"])
    n = sum(s[key] == of for s in shapes)
    name = f"{of} shape" if key == "color" else of
    question = rng.choice(["How many {}s are there?", "Count the {}s.", "How many {}s do you see?"])
    if n == 1:
        answer = f"There is 1 {name}."
    else:
        answer = f"There are {n} {name}s." if n else f"There is no {name}."
    return question.format(name), answer


def place(cell):
    """Words for one of the nine cells, in reading order."""
    row, column = ["top", "", "bottom"][cell // 3], ["left", "", "right"][cell % 3]
    return f"{row} {column}".strip() or "middle"


def find_shape(rng, shapes):
    """Asks where a shape is. The answer is its box in percent of the image: left, top, right, bottom."""
    names = shape_names(shapes)
    ask = rng.choice(["Where is the {}?", "Find the {}.", "Give the box of the {}.", "Locate the {}."])
    once = [i for i, name in enumerate(names) if names.count(name) == 1]
    if once and rng.random() < 0.85:
        i = rng.choice(once)
        where, box = place(shapes[i]["cell"]), shapes[i]["box"]
        return ask.format(names[i]), f"The {names[i]} is at the {where}: {box}."
    colors, kinds = ["red", "green", "blue", "yellow", "purple", "black"], ["circle", "square", "star"]
    name = f"{rng.choice(colors)} {rng.choice(kinds)}"
    if name in names:
        return find_shape(rng, shapes)
    return ask.format(name), f"{CANNOT}: there is no {name}."


def ask_shape(rng, shapes):
    """Asks for the colour of a shape, or for the shape at a place."""
    kinds = [s["shape"] for s in shapes]
    once = [s for s in shapes if kinds.count(s["shape"]) == 1]
    if once and rng.random() < 0.6:
        s = rng.choice(once)
        ask = rng.choice(["What colour is the {}?", "What color is the {}?", "Which colour has the {}?"])
        return ask.format(s["shape"]), f"The {s['shape']} is {s['color']}."
    cell = rng.choice(shapes)["cell"] if rng.random() < 0.8 else rng.randrange(9)
    names = [f"A {s['color']} {s['shape']}" for s in shapes if s["cell"] == cell] or ["Nothing"]
    ask = rng.choice(["What is at the {}?", "What do you see at the {}?", "Which shape is at the {}?"])
    return ask.format(place(cell)), f"{names[0]} is at the {place(cell)}."


def ask_lights(rng, lights):
    on = [color for color in lights if color != "off"]
    if rng.random() < 0.5:
        answer = f"{len(on)} of the {len(lights)} lights {'is' if len(on) == 1 else 'are'} on."
        return rng.choice(ASK["lights count"]), answer
    color = rng.choice(["red", "green", "yellow", "blue"])
    ask = rng.choice(["Is the {} light on?", "Is a {} light on?", "Is there a {} light?"])
    if color not in lights:
        return ask.format(color), f"No, no {color} light is on."
    which = [str(i + 1) for i, c in enumerate(lights) if c == color]
    if len(which) == 1:
        return ask.format(color), f"Yes, light {which[0]} is {color}."
    return ask.format(color), f"Yes, lights {listed(which)} are {color}."


def turn(rng, kind, facts):
    """One question about a scene and its answer."""
    dice = rng.random()
    if kind == "nothing":
        dice = rng.choice([0.8, 0.9, 0.97])
    if dice < 0.64:
        if kind == "lights" and rng.random() < 0.65:
            return ask_lights(rng, facts["lights"])
        if kind == "shapes" and rng.random() < 0.85:
            pick = rng.choices([count_shapes, find_shape, ask_shape], [45, 30, 15])[0]
            return pick(rng, facts["shapes"])
        return rng.choice(ASK[kind]), told(kind, facts)
    if dice < 0.77:
        question = rng.choice(ASK[kind] + ASK["look"])
        return question + rng.choice(JSON_ASKS), as_json(kind, facts)
    if dice < 0.88:
        return rng.choice(ASK["look"]), told(kind, facts)
    if dice < 0.96:
        other = rng.choice([k for k in ("gauge", "display", "lights", "shapes", "sign") if k != kind])
        if rng.random() < 0.2:
            return rng.choice(ASK[other]) + rng.choice(JSON_ASKS), as_json("nothing", {})
        return rng.choice(ASK[other]), f"{CANNOT}: I see {NAMES[kind]}."
    return rng.choice(UNKNOWABLE), f"{CANNOT}: I see {NAMES[kind]}."


SYSTEMS = ["You are a helpful assistant.", "Be brief.", "You watch a plant room.", "Answer in English."]
