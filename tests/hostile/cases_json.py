"""Bodies of invalid or excessive JSON; messages and their parts."""

from case import REFUSED, TEXT, Case, chat
from generate import array, encoded, join, lines, members, nested, numbered, raw, repeat

MIB = 1 << 20
HEAD = '{"model":"smol","messages":[{"role":"user","content":"hi"}],"max_tokens":4,'


def body(name, content, **more):
    return Case(name, "json", body=content, **{"expect": REFUSED, **more})


def field(name, value, **more):
    """A good request with one more field, as text."""
    return body(name, join(HEAD, value, "}"), **more)


BODIES = [
    body("empty", b""),
    body("one space", b" "),
    body("16 MB of spaces", repeat(b" ", 16 * MIB - 64)),
    body("16 MB of spaces, then a request", join(repeat(" ", 16 * MIB - 4096), HEAD, '"n":1}'),
         expect=(200, 400)),
    body("16 MB of newlines inside", join(HEAD, repeat("\n", 16 * MIB - 4096), '"n":1}'),
         expect=(200, 400)),
    body("byte order mark", encoded("\ufeff" + HEAD + '"n":1}', "utf-8"), expect=(200, 400)),
    body("UTF-16", encoded(HEAD + '"n":1}', "utf-16")),
    body("UTF-32", encoded(HEAD + '"n":1}', "utf-32")),
    body("NUL bytes", repeat(b"\x00", 1000)),
    body("a NUL behind the body", encoded(HEAD + '"n":1}\x00', "utf-8")),
    body("trailing garbage", HEAD + '"n":1} x'),
    body("two documents", HEAD + '"n":1}{}'),
    body("trailing comma", HEAD + "}"),
    body("comments", HEAD + '/* x */"n":1}'),
    body("single quotes", "{'model':'smol'}"),
    body("unfinished string", '{"model":"smo'),
    body("unfinished escape", '{"model":"\\u12'),
    body("16 MB unfinished string", join('{"model":"', repeat("a", 16 * MIB - 64))),
    body("16 MB of backslashes", join('{"model":"', repeat("\\", 16 * MIB - 64))),
    body("array at the top", array(1, 100000)),
    body("number at the top", "1"),
    body("string at the top", '"x"'),
    body("null at the top", "null"),
    body("depth 100,000 arrays", nested("[", "]", 100000)),
    body("depth 8 million arrays, open", repeat("[", 8 * MIB)),
    body("depth 5,000 objects", nested('{"a":', "}", 5000)),
    body("depth 3 million objects, open", repeat('{"a":', 3 * MIB)),
    body("invalid UTF-8", b'{"model":"\xff\xfe"}'),
    body("overlong UTF-8", b'{"model":"\xc0\xaf"}'),
    body("UTF-8 surrogate", b'{"model":"\xed\xa0\x80"}'),
    body("UTF-8 above 10FFFF", b'{"model":"\xf5\x80\x80\x80"}'),
    body("16 MB of 0xff", join(b'{"model":"', repeat(b"\xff", 15 * MIB), b'"}')),
]

FIELDS = [
    field("240 KB of user objects", join('"user":[', repeat("{},", 80000), "{}]")),
    field("16 MB of user objects", join('"user":[', repeat("{},", 5 * MIB), "{}]")),
    field("16 MB of metadata members",
          raw(HEAD, '"metadata":{', repeat('"a":1,', 2600000), '"b":1}')),
    field("1,000,000 metadata members", join('"metadata":{', repeat('"k":"v",', 10**6), '"z":""}')),
    field("4 million metadata numbers", join('"metadata":[', repeat("1,", 4 * MIB), "1]")),
    field("7 million empty strings", join('"metadata":[', repeat('"",', 5 * MIB), '""]')),
    field("duplicate model", '"model":"other","model":"smol"', expect=(200, 400, 404)),
    field("100,000 duplicates of model", join(repeat('"model":"smol",', 10**5), '"n":1'),
          expect=(200, 400)),
    field("duplicate messages", '"messages":[]', expect=(200, 400)),
    field("number of a million digits", join('"seed":', repeat("9", 10**6))),
    field("number with a million zeros behind a point", join('"seed":0.', repeat("0", 10**6), "1"),
          expect=(200, 400)),  # it is read as 0
    field("exponent of a million digits", join('"temperature":1e', repeat("9", 10**6))),
    field("1e400", '"temperature":1e400'),
    field("-0", '"temperature":-0', expect=(200, 400)),
    field("NaN", '"temperature":NaN'),
    field("Infinity", '"top_p":Infinity'),
    field("leading zero", '"n":01'),
    field("hexadecimal", '"n":0x1'),
    field("9e18 max_tokens", '"max_completion_tokens":9223372036854775808'),
    field("-9e18 seed", '"seed":-9223372036854775809', expect=(200, 400)),
    field("2^64 seed", '"seed":18446744073709551616', expect=(200, 400)),
    field("1 MB member name", join('"', repeat("x", MIB), '":1'), expect=(200, 400)),
    field("900 unknown members of 10 KB", lines("", '"{}' + "x" * 10000 + '":1,', 900, '"y":1'),
          expect=(200, 400)),
    field("1,000 unknown members in each of 60 parts",
          join('"messages":[{"role":"user","content":[',
               repeat(lines('{"type":"text","text":"x"', ',"k{}":1', 1000, "},"), 59),
               '{"type":"text","text":"x"}]}]'), expect=(200, 400)),
    field("100,000 unknown members", join(repeat('"x":1,', 10**5), '"y":1')),
    field("member name with NUL", '"a\\u0000b":1', expect=(200, 400)),
    field("member name with control characters", '"\\u001b[31mred":1', expect=(200, 400)),
    field("lone surrogate as a name", '"\\ud800":1'),
    field("depth 31 then text", join('"metadata":', nested("[", "]", 29)), expect=(200, 400)),
]
FIELDS = [case for case in FIELDS if case.name != "16 MB of metadata members"] + [
    body("4 MB of metadata members of one name",
         join(HEAD, '"metadata":{', repeat('"a":1,', 700000), '"b":1}}')),
    body("million members under names that differ",
         {"model": "smol", "messages": [{"role": "user", "content": "hi"}],
          "metadata": members("k{}", 1, 300000)}),
]

PART = {"type": "text", "text": "x"}


def message(name, messages, **more):
    return chat("messages", name, {"messages": messages}, **more)


def user(content):
    return [{"role": "user", "content": content}]


MESSAGES = [
    message("300,000 messages", array({"role": "user", "content": "x"}, 300000), expect=REFUSED),
    chat("messages", "300,000 messages, unknown model",
         {"model": "none", "messages": array({"role": "user", "content": "x"}, 300000)},
         expect=(400, 404), names=()),
    message("20,000 messages", array({"role": "user", "content": "x"}, 20000), expect=REFUSED),
    message("1,000 messages", array({"role": "user", "content": "x"}, 1000)),
    message("100,000 text parts", user(array(PART, 100000)), expect=REFUSED),
    message("400,000 text parts", user(array(PART, 400000)), expect=REFUSED),
    message("100,000 empty parts", user(array({"type": "text", "text": ""}, 100000)),
            expect=REFUSED),
    message("100,000 image parts without a URL",
            user(array({"type": "image_url", "image_url": {}}, 100000)), expect=REFUSED),
    message("100,000 system messages", array({"role": "system", "content": ""}, 100000),
            expect=REFUSED),
    message("content is an object", user({"a": 1}), expect=REFUSED),
    message("content is deep", user(nested("[", "]", 5000)), expect=REFUSED),
    message("role of 1 MB", [{"role": repeat("u", MIB), "content": "x"}], expect=REFUSED),
    message("unknown part type of 1 MB", user([{"type": repeat("t", MIB)}]), expect=REFUSED),
    message("message with 100,000 members",
            [{"role": "user", "content": "x", **{f"k{i}": 1 for i in range(100)}},
             members("m{}", 1, 100000)], expect=REFUSED),
    message("messages is an object", members("{}", 1, 1000), expect=REFUSED),
    message("messages is a string of 16 MB", repeat("m", 15 * MIB), expect=REFUSED),
    message("no user message", [{"role": "assistant", "content": "x"}]),
    message("lone surrogate content", user(raw('"\\ud800"'))),
    message("NUL content", user("a\x00b")),
    message("name of 1 MB", [{"role": "user", "content": "x", "name": repeat("n", MIB)}]),
    message("tool_calls of depth",
            [{"role": "assistant", "content": None, "tool_calls": nested("[", "]", 2000)}],
            expect=REFUSED),
    chat("messages", "model of 15 MB", {"model": repeat("m", 15 * MIB)}, expect=(400, 404)),
    chat("messages", "model is an array", {"model": array("smol", 1000)}, expect=REFUSED),
    chat("messages", "model with a path", {"model": "../../etc/passwd"}, expect=(404,)),
    chat("messages", "100,000 names as models", {"model": numbered("m{}", 100000)}, expect=REFUSED),
    Case("no model at all", "messages", TEXT, body={"prompt": "x", "max_tokens": 1},
         expect=(200, 400, 404)),
]

CASES = BODIES + FIELDS + MESSAGES
