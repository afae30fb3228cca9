"""Checks of structured outputs. A case names one of them; check() returns the problems."""

import json
import re


def _content(body):
    choice = body["choices"][0]
    text = choice["message"]["content"] if "message" in choice else choice["text"]
    return text, choice["finish_reason"] == "stop"


def _json(body):
    text, ended = _content(body)
    return json.loads(text) if ended else None


def _members(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"duplicate keys in {names}")
    return dict(pairs)


def unique_keys(body):
    text, ended = _content(body)
    if ended and len(json.loads(text, object_pairs_hook=_members)) < 2:
        return f"{text!r} has fewer than 2 members"
    return ""


def pattern_and_named(body):
    """{"properties": {"ab": string}, "patternProperties": {"^a": {"maxLength": 1}}}."""
    value = _json(body)
    return f"{value!r}" if value is not None and len(value.get("ab", "")) > 1 else ""


def all_of_both(body):
    """allOf of minLength 5 and maxLength 6 on a pattern of digits."""
    value = _json(body)
    return f"{value!r}" if value is not None and not re.fullmatch(r"\d{5,6}", value) else ""


def no_29_february(body):
    value = _json(body)
    return f"{value!r}" if value == "2021-02-29" else ""


def escaped_name(body):
    """{"properties": {"a\\nb": integer}, "required": [...]}; the member is an integer in any spelling of the name."""
    value = _json(body)
    if value is None:
        return ""
    bad = [v for k, v in value.items() if k == "a\nb" and not isinstance(v, int)]
    return f"{value!r}" if bad else ""


def above_2_53(body):
    value = _json(body)
    return f"{value!r}" if value is not None and value <= 2**53 else ""


def is_json(body):
    text, ended = _content(body)
    if ended:
        json.loads(text)
    return ""


def is_array(body):
    value = _json(body)
    return f"{value!r}" if value is not None and not isinstance(value, list) else ""


CHECKS = {
    function.__name__: function
    for function in (
        unique_keys,
        pattern_and_named,
        all_of_both,
        no_29_february,
        escaped_name,
        above_2_53,
        is_json,
        is_array,
    )
}


def check(name, body):
    try:
        return CHECKS[name](body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{error!r} of {json.dumps(body)[:300]}"
