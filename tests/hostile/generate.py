"""Descriptions of large values. A Lazy names a function and its arguments; build() makes the value.

A case holds Lazy objects instead of megabytes, so that its repr is a short reproduction.
"""

import base64
import functools
import json
import uuid


class Lazy:
    def __init__(self, function, arguments):
        self.function, self.arguments = function, arguments

    def __repr__(self):
        inner = ", ".join(repr(a) if len(repr(a)) < 80 else repr(a)[:60] + "..." for a in
                          self.arguments)
        return f"{self.function.__name__}({inner})"


class RawJson:
    """JSON text that dump() inserts unchanged. For values that json.dumps cannot write."""

    def __init__(self, text):
        self.text = text


def lazy(function):
    @functools.wraps(function)
    def describe(*arguments):
        return Lazy(function, arguments)

    return describe


def build(value):
    """Makes the value of a description."""
    if isinstance(value, Lazy):
        return value.function(*[build(argument) for argument in value.arguments])
    if isinstance(value, dict):
        return {key: build(item) for key, item in value.items()}
    if isinstance(value, list):
        return [build(item) for item in value]
    if isinstance(value, tuple):
        return tuple(build(item) for item in value)
    return value


def dump(value):
    """The bytes of a request's body."""
    value = build(value)
    if isinstance(value, RawJson):
        value = value.text
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    raw = {}

    def stand_in(item):
        if isinstance(item, RawJson):
            raw[uuid.uuid4().hex] = item.text
            return list(raw)[-1]
        raise TypeError(repr(item))

    text = json.dumps(value, default=stand_in, separators=(",", ":"))
    for name, inner in raw.items():
        text = text.replace(f'"{name}"', inner, 1)
    return text.encode()


@lazy
def repeat(text, count):
    return text * count


@lazy
def join(*parts):
    """Joins the parts, which are all bytes or all text (RawJson is text)."""
    parts = [part.text if isinstance(part, RawJson) else part for part in parts]
    return (b"" if isinstance(parts[0], bytes) else "").join(parts)


@lazy
def array(item, count):
    return [item] * count


@lazy
def numbers(count, start=0, step=1):
    return list(range(start, start + count * step, step))


@lazy
def numbered(pattern, count):
    """["w0", "w1", ...] for "w{}"."""
    return [pattern.format(i) for i in range(count)]


@lazy
def lines(first, pattern, count, last=""):
    """`first`, then `pattern` with i and i + 1 for each i, then `last`."""
    return first + "".join(pattern.format(i, i + 1) for i in range(count)) + last


@lazy
def alternatives(first, pattern, count):
    return first + " | ".join(pattern.format(i) for i in range(count))


@lazy
def members(pattern, value, count):
    return {pattern.format(i): value for i in range(count)}


@lazy
def raw(*parts):
    return RawJson("".join(parts))


@lazy
def nested(open_text, close_text, depth, core="1"):
    return RawJson(open_text * depth + core + close_text * depth)


@lazy
def base64_of(data):
    return base64.b64encode(data).decode()


@lazy
def encoded(text, charset):
    return text.encode(charset, "surrogatepass")


def _wrap(keyword, inner):
    """A schema that has `inner` in this keyword."""
    if keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        return {keyword: [inner, {"type": "null"}] if keyword == "anyOf" else [inner]}
    if keyword in ("properties", "patternProperties", "$defs", "dependentSchemas"):
        return {"type": "object", keyword: {"a": inner}, "required": ["a"]}
    if keyword in ("items", "contains", "additionalItems"):
        return {"type": "array", keyword: inner, "minItems": 1}
    if keyword in ("additionalProperties", "propertyNames", "unevaluatedProperties"):
        return {"type": "object", keyword: inner}
    if keyword in ("not", "if", "then", "else"):
        return {keyword: inner}
    return inner


def _refs(count, keyword, ring):
    defs = {f"d{i}": _wrap(keyword, {"$ref": f"#/$defs/d{i + 1}"}) for i in range(count)}
    defs[f"d{count}"] = _wrap(keyword, {"$ref": "#/$defs/d0"}) if ring else {"type": "integer"}
    return {"$ref": "#/$defs/d0", "$defs": defs}


@lazy
def ref_chain(count, keyword):
    """`count` definitions, each a reference to the next, through `keyword`."""
    return _refs(count, keyword, False)


@lazy
def ref_ring(count, keyword):
    """`count` + 1 definitions that refer to each other in a ring."""
    return _refs(count, keyword, True)


@lazy
def refs_over(count, targets):
    """`count` references to `targets` objects that refer to each other."""
    defs = {
        f"o{i}": {
            "type": "object",
            "properties": {
                f"p{j}": {"$ref": f"#/$defs/o{(i + j) % targets}"} for j in range(targets)
            },
        }
        for i in range(targets)
    }
    properties = {f"r{i}": {"$ref": f"#/$defs/o{i % targets}"} for i in range(count)}
    return {"type": "object", "properties": properties, "$defs": defs}


@lazy
def doubling_refs(levels, keyword="allOf"):
    """Each definition refers twice to the next: 2 ** levels expansions."""
    defs = {
        f"d{i}": {keyword: [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]}
        for i in range(levels)
    }
    defs[f"d{levels}"] = {"type": "string", "maxLength": 3}
    return {"$ref": "#/$defs/d0", "$defs": defs}


@lazy
def patterns(keyword, count):
    """A list of `count` string schemas with patterns."""
    return {keyword: [{"type": "string", "pattern": f"a{{{i}}}|b+{i}"} for i in range(count)]}


@lazy
def repeat_item(item, count):
    """`count` copies that differ in a description, so that they cannot be merged as one."""
    return [{**item, "description": str(i)} for i in range(count)]
