"""The styles of arguments other than JSON: how their grammar is asked for, and how outputs are read."""

import json
import re

MARK = "<escape>"
BEFORE_NAME, AFTER_NAME, AFTER_VALUE = "<parameter=", ">\n", "\n</parameter>\n"
STYLES = ("keywords", "bare", "tagged")


def plain_members(schema):
    """Members that are written as their text: PlainMembers of engine/text/tools/call_structure.h."""
    if "$ref" in schema:
        return []
    properties = schema.get("properties", {}).items()
    members = [(name, value) for name, value in properties if isinstance(value, dict)]
    return [n for n, value in members if value.get("type") == "string" and "$ref" not in value]


def structure(style, schema):
    """The structure of arguments that meet the schema (textkit/src/structure.rs)."""
    form = {
        "keywords": "keywords",
        "bare": {"bare": MARK},
        "tagged": {
            "tagged": {
                "before_name": BEFORE_NAME,
                "after_name": AFTER_NAME,
                "after_value": AFTER_VALUE,
                "plain": plain_members(schema),
            }
        },
    }[style]
    return json.dumps({"schema": json.dumps(schema), "name": "arguments", "style": form})


class Bare:
    """Reads a text of the style "bare". Raises ValueError."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def take(self, mark):
        found = self.text.startswith(mark, self.at)
        self.at += len(mark) * found
        return found

    def until(self, mark):
        end = self.text.index(mark, self.at)
        text, self.at = self.text[self.at : end], end + len(mark)
        return text

    def members(self, end):
        members = {}
        while not self.done(end):
            name = self.until(":")
            if name in members:
                raise ValueError(f"two members {name}")
            members[name] = self.value()
            if not self.take(",") and not self.text.startswith(end, self.at):
                raise ValueError(f"no end of {name}")
        self.take(end)
        return members

    def done(self, end):
        return self.text.startswith(end, self.at) if end else self.at == len(self.text)

    def value(self):
        if self.take(MARK):
            return self.until(MARK)
        if self.take("{"):
            return self.members("}")
        if self.take("["):
            items = []
            while not self.take("]"):
                items.append(self.value())
                self.take(",")
            return items
        scalar = re.compile(r"[^,\]}]+").match(self.text, self.at).group()
        self.at += len(scalar)
        return json.loads(scalar)


def read_tagged(text, plain):
    members = {}
    while text:
        if not text.startswith(BEFORE_NAME):
            raise ValueError("no tag")
        name, text = text[len(BEFORE_NAME) :].split(AFTER_NAME, 1)
        value, text = text.split(AFTER_VALUE, 1)
        if name in members:
            raise ValueError(f"two members {name}")
        members[name] = value if name in plain else json.loads(value)
    return members


def read_keywords(text):
    members, decoder = {}, json.JSONDecoder()
    while text:
        name, text = text.split("=", 1)
        members[name], end = decoder.raw_decode(text)
        text = text[end:].removeprefix(", ")
    return members


def read(style, schema, text):
    """The value that an output stands for."""
    if style == "bare":
        return Bare(text).members("")
    return read_keywords(text) if style == "keywords" else read_tagged(text, plain_members(schema))
