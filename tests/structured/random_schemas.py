"""Random schemas and instances over a small set of values, so that constraints interact."""

import random

NAMES = ["a", "b", "ab", "c", 'q"']
STRINGS = ["", "a", "b", "ab", "aab", "2020-02-29", "2021-02-29", "é", '"', "\\a", '"b"']
NUMBERS = [0, 1, 2, 3, 6, -1, -3, 1.5, 2.25, 0.5, 10, 100, 1.0]
# Python and ECMAScript give all of these the same meaning.
PATTERNS = ["^a", "b$", "a", "^[ab]+$", "^[^a]{2}$", '^"[ab]', r"\\[ab]", '["b]$']
TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, options):
        return self.random.choice(options)

    def value(self, depth=2):
        kind = self.random.randrange(8 if depth else 5)
        if kind == 0:
            return self.pick([None, True, False])
        if kind in (1, 2):
            return self.pick(NUMBERS)
        if kind in (3, 4):
            return self.pick(STRINGS)
        if kind == 5:
            return [self.value(depth - 1) for _ in range(self.random.randrange(4))]
        names = [n for n in NAMES if self.random.random() < 0.5]
        return {name: self.value(depth - 1) for name in names}

    def schema(self, depth=3):
        if self.random.random() < 0.06:
            return self.pick([True, False, True])
        schema = {}
        makers = [self.type, self.number, self.string, self.array, self.object, self.given]
        makers += [self.combine] * 2 if depth else []
        for make in self.random.sample(makers, self.random.randrange(1, 4)):
            make(schema, depth)
        return schema

    def type(self, schema, _):
        schema["type"] = self.pick([self.pick(TYPES), self.random.sample(TYPES, 2)])

    def number(self, schema, _):
        for key in self.random.sample(
            ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"], 2
        ):
            schema[key] = (
                self.pick([1, 2, 3, 0.5, 1.5]) if key == "multipleOf" else self.pick(NUMBERS)
            )

    def string(self, schema, _):
        key = self.pick(["minLength", "maxLength", "pattern", "pattern"])
        schema[key] = self.pick(PATTERNS) if key == "pattern" else self.random.randrange(4)

    def array(self, schema, depth):
        sub = depth and depth - 1
        for key in self.random.sample(
            ["items", "prefixItems", "minItems", "maxItems", "contains", "uniqueItems"], 2
        ):
            if key == "prefixItems":
                schema[key] = [self.schema(sub) for _ in range(self.random.randrange(1, 3))]
            elif key in ("items", "contains"):
                schema[key] = self.schema(sub)
                if key == "contains" and self.random.random() < 0.4:
                    schema["minContains"] = self.random.randrange(3)
                    schema["maxContains"] = self.random.randrange(1, 3)
            elif key == "uniqueItems":
                schema[key] = self.random.random() < 0.3
            else:
                schema[key] = self.random.randrange(4)

    def object(self, schema, depth):
        sub = depth and depth - 1
        keys = ["properties", "required", "patternProperties", "additionalProperties"]
        keys += ["properties", "minProperties", "maxProperties", "propertyNames"]
        keys += ["dependentRequired", "dependentSchemas"]
        for key in dict.fromkeys(self.random.sample(keys, 3)):  # in the order of the seed
            names = self.random.sample(NAMES, self.random.randrange(1, 3))
            if key in ("properties", "dependentSchemas"):
                schema[key] = {name: self.schema(sub) for name in names}
            elif key == "patternProperties":
                schema[key] = {self.pick(PATTERNS): self.schema(sub)}
            elif key == "required":
                schema[key] = names
            elif key == "dependentRequired":
                schema[key] = {names[0]: self.random.sample(NAMES, 1)}
            elif key == "additionalProperties":
                schema[key] = self.pick([False, self.schema(sub)])
            elif key == "propertyNames":
                schema[key] = self.pick([{"enum": NAMES[:3]}, {"maxLength": 1}, {"pattern": "^a"}])
            else:
                schema[key] = self.random.randrange(4)

    def given(self, schema, _):
        if self.random.random() < 0.5:
            schema["enum"] = [self.value() for _ in range(self.random.randrange(1, 5))]
        else:
            schema["const"] = self.value()

    def combine(self, schema, depth):
        key = self.pick(["allOf", "anyOf", "oneOf", "not", "if", "unevaluated", "$ref"])
        if key in ("allOf", "anyOf", "oneOf"):
            schema[key] = [self.schema(depth - 1) for _ in range(self.random.randrange(1, 4))]
        elif key == "not":
            schema[key] = self.schema(depth - 1)
        elif key == "if":
            for part in ("if", "then", "else"):
                if part == "if" or self.random.random() < 0.7:
                    schema[part] = self.schema(depth - 1)
        elif key == "unevaluated":
            place = self.pick(["unevaluatedProperties", "unevaluatedItems"])
            schema[place] = self.pick([False, self.schema(0)])
        else:
            schema["$ref"] = "#/$defs/" + self.pick(["x", "y"])


def cases(seed, count):
    """Pairs of a schema and instances, some valid and some not."""
    for i in range(count):
        maker = Maker(seed * 1_000_003 + i)
        schema = maker.schema()
        if isinstance(schema, bool):
            schema = {"allOf": [schema]}
        schema["$defs"] = {"x": maker.schema(2), "y": maker.schema(1)}
        yield schema, [maker.value() for _ in range(40)]
