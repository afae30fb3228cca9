"""JSON schemas that are expensive, recursive, contradictory or wrong; and some whose output is
checked."""

from case import EITHER, REFUSED, chat, text
from generate import (
    array, doubling_refs, members, nested, numbered, numbers, patterns, ref_chain, ref_ring,
    refs_over, repeat, repeat_item,
)

MIB = 1 << 20
NAMES = ("structured_outputs", "response_format", "grammar")


def schema(name, value, tokens=12, **more):
    """By structured_outputs.json, of /v1/completions."""
    return text("schema", name, {"structured_outputs": {"json": value}, "max_tokens": tokens},
                **{"names": NAMES, **more})


def by_format(name, value, **more):
    """By response_format, of /v1/chat/completions."""
    change = {"response_format": {"type": "json_schema",
                                  "json_schema": {"name": "x", "schema": value}},
              "max_tokens": 12}
    return chat("schema", f"{name}, response_format", change, **{"names": NAMES, **more})


THROUGH = ("", "anyOf", "oneOf", "allOf", "items", "properties", "$defs", "additionalProperties",
           "prefixItems", "patternProperties", "not", "if", "contains", "propertyNames",
           "dependentSchemas", "unevaluatedProperties")

CASES = [schema(f"chain of 2,500 $refs through {k or 'nothing'}", ref_chain(2500, k))
         for k in THROUGH]
CASES += [schema(f"ring of 3 $refs through {k or 'nothing'}", ref_ring(3, k)) for k in THROUGH]
CASES += [by_format(f"chain of 2,500 $refs through {k}", ref_chain(2500, k))
          for k in ("anyOf", "allOf", "properties", "items")]
CASES += [by_format(f"ring of 2 $refs through {k}", ref_ring(1, k))
          for k in ("anyOf", "oneOf", "allOf")]
CASES += [
    schema("$ref to itself", {"$ref": "#"}, expect=REFUSED),
    by_format("$ref to itself", {"$ref": "#"}, expect=REFUSED),
    schema("ring of 2,500 $refs", ref_ring(2500, ""), expect=REFUSED),
    schema("5,000 $refs over 6 objects", refs_over(5000, 6)),
    schema("60 $refs over 60 objects", refs_over(60, 60)),
    schema("2^24 references by allOf", doubling_refs(24, "allOf")),
    schema("2^24 references by anyOf", doubling_refs(24, "anyOf")),
    schema("2^24 references by oneOf", doubling_refs(24, "oneOf")),
    schema("mutual allOf", {"allOf": [{"$ref": "#/$defs/a"}],
                            "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]},
                                      "b": {"allOf": [{"$ref": "#/$defs/a"}]}}}, expect=REFUSED),
    schema("$ref to a remote file", {"$ref": "http://127.0.0.1:1/x.json"}, expect=REFUSED),
    schema("$ref to a local file", {"$ref": "file:///etc/passwd"}, expect=REFUSED),
    schema("$ref to nothing", {"$ref": "#/$defs/none"}, expect=REFUSED),
    schema("$ref of 1 MB", {"$ref": repeat("#/a", 300000)}, expect=REFUSED),
    schema("$ref with escapes", {"$ref": "#/$defs/a~0~1%25",
                                 "$defs": {"a~/%": {"type": "null"}}}),
    schema("$dynamicRef", {"$dynamicRef": "#meta", "$defs": {"m": {"$dynamicAnchor": "meta"}}}),
    schema("deep 500 properties", nested('{"type":"object","properties":{"a":', "}}", 500, "{}")),
    schema("deep 20,000 items", nested('{"items":', "}", 20000, "{}"), expect=REFUSED,
           names=(*NAMES, "nest", "deep", "depth")),
    schema("deep 30 items", nested('{"type":"array","items":', "}", 20, "{}")),
    schema("deep not", nested('{"not":', "}", 25, "{}")),
]

NUMBERS = [
    ("multipleOf 62615533", {"type": "integer", "multipleOf": 62615533}),
    ("multipleOf 2^53 - 1", {"type": "integer", "multipleOf": 2**53 - 1}),
    ("multipleOf 10^18 + 9", {"type": "integer", "multipleOf": 10**18 + 9}),
    ("multipleOf 10^300", {"type": "integer", "multipleOf": 10**300}),
    ("multipleOf 1e-300", {"type": "number", "multipleOf": 1e-300}),
    ("multipleOf 0.0000001", {"type": "number", "multipleOf": 1e-7}),
    ("multipleOf 0", {"type": "number", "multipleOf": 0}),
    ("multipleOf -7", {"type": "number", "multipleOf": -7}),
    ("multipleOf 999983 in bounds",
     {"type": "integer", "multipleOf": 999983, "minimum": 10**12, "maximum": 10**15}),
    ("three multipleOf", {"type": "integer", "allOf": [
        {"multipleOf": 7919}, {"multipleOf": 7907}, {"multipleOf": 7901}]}),
    ("20 multipleOf", {"type": "integer",
                       "allOf": [{"multipleOf": p} for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29,
                                                             31, 37, 41, 43, 47, 53, 59, 61, 67, 71)]}),
    ("bounds of 300 digits", {"type": "integer", "minimum": 10**299, "maximum": 10**300}),
    ("bounds crossed", {"type": "integer", "minimum": 5, "maximum": 4}),
    ("bounds of many digits", {"type": "number", "minimum": 1.2345678901234567e-100,
                               "maximum": 9.8765432109876543e100}),
    ("bounds open", {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e-17}),
    ("minItems 10^9", {"type": "array", "minItems": 10**9}),
    ("maxItems 10^9", {"type": "array", "items": {"type": "integer"}, "maxItems": 10**9}),
    ("minItems 5,000 of objects",
     {"type": "array", "minItems": 5000,
      "items": {"type": "object", "properties": {"a": {"type": "string"}}}}),
    ("maxLength 10^12", {"type": "string", "maxLength": 10**12}),
    ("minLength 10^12", {"type": "string", "minLength": 10**12}),
    ("minLength 10^6", {"type": "string", "minLength": 10**6, "maxLength": 10**6 + 1}),
    ("maxLength -1", {"type": "string", "maxLength": -1}),
    ("minProperties 10^9", {"type": "object", "minProperties": 10**9}),
    ("maxProperties 10^6", {"type": "object", "maxProperties": 10**6}),
    ("minContains 10^9", {"type": "array", "contains": {"const": 1}, "minContains": 10**9}),
    ("uniqueItems", {"type": "array", "uniqueItems": True, "items": {"enum": [1, 2]}}),
]
for name, value in NUMBERS:
    CASES += [schema(name, value)]
CASES += [by_format(name, value) for name, value in NUMBERS[:1] + NUMBERS[9:10]]

SIZES = [
    ("enum of 100,000", {"enum": numbered("v{}", 100000)}),
    ("enum of 10,000 long strings", {"enum": numbered("x" * 200 + "{}", 10000)}),
    ("enum of 1,000,000 numbers", {"enum": numbers(1000000)}),
    ("enum of one 10 MB string", {"enum": [repeat("e", 10 * MIB)]}),
    ("enum of deep arrays", {"enum": [nested("[", "]", 25)]}),
    ("enum of nothing", {"enum": []}),
    ("const of 10 MB", {"const": repeat("c", 10 * MIB)}),
    ("const object of 50,000 members", {"const": members("k{}", 1, 50000)}),
    ("5,000 properties", {"type": "object",
                          "properties": members("p{}", {"type": "string"}, 5000)}),
    ("5,000 required properties",
     {"type": "object", "properties": members("p{}", {"type": "integer"}, 5000),
      "required": numbered("p{}", 5000), "additionalProperties": False}),
    ("100,000 properties", {"type": "object", "properties": members("p{}", {}, 100000)}),
    ("100,000 required names without properties",
     {"type": "object", "required": numbered("r{}", 100000)}),
    ("property name of 5 MB", {"type": "object", "properties": {"x": {}},
                               "required": [repeat("n", 5 * MIB)]}),
    ("1,000 patternProperties",
     {"type": "object", "patternProperties": members("^p{}.*x$", {"type": "integer"}, 1000)}),
    ("20 patternProperties that overlap",
     {"type": "object", "patternProperties": members(".*{}.*", {"maxLength": 9}, 20)}),
    ("20,000 $defs that nothing uses",
     {"type": "null", "$defs": members("d{}", {"type": "string"}, 20000)}),
    ("anyOf of 20,000", {"anyOf": repeat_item({"type": "integer", "minimum": 3}, 20000)}),
    ("oneOf of 2,000 objects",
     {"oneOf": repeat_item({"type": "object", "properties": {"a": {"type": "string"}}}, 2000)}),
    ("oneOf of 300 constants", {"oneOf": [{"const": f"c{i}"} for i in range(300)]}),
    ("allOf of 5,000", {"allOf": repeat_item({"maxLength": 5}, 5000)}),
    ("allOf of 2,000 patterns", patterns("allOf", 2000)),
    ("anyOf of 2,000 patterns", patterns("anyOf", 2000)),
    ("types of 100,000", {"type": array("string", 100000)}),
    ("prefixItems of 20,000", {"type": "array", "prefixItems": array({"type": "null"}, 20000)}),
    ("anyOf of anyOf", nested('{"anyOf":[{"type":"null"},', "]}", 15, "{}")),
    ("not of anyOf", {"not": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}),
    ("description of 10 MB", {"type": "null", "description": repeat("d", 10 * MIB)}),
    ("pattern a?^20000", {"type": "string", "pattern": repeat("a?", 20000)}),
    ("pattern nested", {"type": "string", "pattern": "((((a{0,99}){0,99}){0,99}){0,99})"}),
    ("pattern of 10 MB", {"type": "string", "pattern": repeat("p", 10 * MIB)}),
    ("pattern with a lookahead", {"type": "string", "pattern": "^(?=a)(?!b).*$"}),
    ("pattern with a back reference", {"type": "string", "pattern": "^(a)\\1$"}),
    ("pattern that is wrong", {"type": "string", "pattern": "("}),
    ("pattern of 16 wide ends", {"type": "string", "pattern": "(.|\\n)*a.{200}(.|\\n)*b.{200}"}),
    ("pattern and maxLength", {"type": "string", "pattern": "^(ab|ba)*$", "maxLength": 100000}),
    ("propertyNames", {"type": "object", "propertyNames": {"pattern": repeat("[ab]?", 2000)}}),
    ("format of every kind", {"type": "array", "prefixItems": [
        {"type": "string", "format": f} for f in (
            "date", "time", "date-time", "duration", "email", "idn-email", "hostname", "ipv4",
            "ipv6", "uri", "uri-reference", "uuid", "regex", "json-pointer", "none")]}),
    ("format of 1 MB", {"type": "string", "format": repeat("f", MIB)}),
    ("type is a number", {"type": 5}),
    ("properties is an array", {"type": "object", "properties": [1]}),
    ("x-guidance of the client", {"type": "object", "x-guidance": {"whitespace_pattern": "(",
                                  "item_separator": repeat("a?", 20000), "lenient": True}}),
    ("whitespace pattern", {"x-guidance": {"whitespace_flexible": True, "coerce_one_of": True}}),
]
CASES += [schema(name, value) for name, value in SIZES]
CASES += [
    by_format("5,000 properties", SIZES[8][1]),
    by_format("allOf of 2,000 patterns", SIZES[20][1]),
    by_format("name of 1 MB", {"type": "null"}),
    schema("boolean true", True),
    schema("boolean false", False),
    schema("a string", "{"),
    schema("a string of 15 MB", repeat("[", 15 * MIB), expect=REFUSED),
    schema("null", None, expect=REFUSED),
    text("schema", "two constraints", {"structured_outputs": {"json": {}, "regex": "a"}},
         expect=REFUSED),
    text("schema", "constraint and format",
         {"structured_outputs": {"regex": "a"}, "response_format": {"type": "json_object"}},
         expect=REFUSED, names=NAMES),
    schema("8 x multipleOf at once", NUMBERS[0][1], count=8, cpu_s=8.0),
    schema("8 x 5,000 properties at once", SIZES[8][1], count=8, wall_s=10, cpu_s=16.0),
]

# The output must be valid, or the error must name the refused keyword.
CHECKED_OUTPUTS = [
    ("patternProperties and properties", {
        "type": "object", "properties": {"ab": {"type": "string", "maxLength": 9}},
        "required": ["ab"], "additionalProperties": False,
        "patternProperties": {"^a": {"maxLength": 1}}}, "pattern_and_named", EITHER),
    ("allOf keeps both", {"type": "string", "pattern": "^[0-9]+$", "maxLength": 9, "allOf": [
        {"minLength": 5}, {"maxLength": 6}]}, "all_of_both", EITHER),
    ("minProperties and unique keys", {
        "type": "object", "minProperties": 2, "maxProperties": 2,
        "additionalProperties": {"type": "integer", "maximum": 3, "minimum": 0},
        "propertyNames": {"pattern": "^a$"}}, "unique_keys", EITHER),
    ("29 February 2021", {"type": "string", "format": "date", "pattern": "^2021-02-2[89]$"},
     "no_29_february", EITHER),
    ("escaped property name", {
        "type": "object", "properties": {"a\nb": {"type": "integer"}}, "required": ["a\nb"]},
     "escaped_name", EITHER),
    ("integers beyond 2^53", {"type": "integer", "minimum": 2**53 + 1, "maximum": 2**53 + 9},
     "above_2_53", EITHER),
    ("uniqueItems false", {"type": "array", "uniqueItems": False, "items": {"type": "integer"},
                           "maxItems": 2}, "is_array", (200,)),
    ("maxLength 2.0", {"type": "string", "maxLength": 2.0}, "is_json", (200,)),
    ("multipleOf 5", {"type": "integer", "multipleOf": 5, "minimum": 0, "maximum": 100},
     "is_json", (200,)),
    ("a plain object", {"type": "object", "properties": {"a": {"type": "boolean"}},
                        "required": ["a"], "additionalProperties": False}, "is_json", (200,)),
]
CASES += [schema(f"checked: {name}", value, 32, valid=valid, expect=expect, cpu_s=6.0)
          for name, value, valid, expect in CHECKED_OUTPUTS]
