"""Regular expressions, Lark grammars and choices."""

from case import REFUSED, text
from generate import alternatives, array, join, lines, numbered, repeat

MIB = 1 << 20
NAMES = ("structured_outputs", "grammar")


def regex(name, value, **more):
    return text("regex", name, {"structured_outputs": {"regex": value}, "max_tokens": 12},
                **{"names": NAMES, **more})


def lark(name, value, **more):
    return text("lark", name, {"structured_outputs": {"grammar": value}, "max_tokens": 12},
                **{"names": NAMES, **more})


def choice(name, value, **more):
    return text("choice", name, {"structured_outputs": {"choice": value}, "max_tokens": 12},
                **{"names": NAMES, **more})


REGEX = [
    ("a?^20000", repeat("a?", 20000)),
    ("a?^500 a^500", join(repeat("a?", 500), repeat("a", 500))),
    ("15 MB literal", repeat("abcdefgh", 15 * MIB // 8)),
    ("100 KB literal", repeat("abcdefgh", 12500)),
    ("nested stars", "(((a*)*)*)*b"),
    ("nested repeats", "((((a{1,100}){1,100}){1,100}){1,100})"),
    ("a{1,1000000}", "a{1,1000000}"),
    ("a{1000000000}", "a{1000000000}"),
    ("a{0,99999999999999999999}", "a{0,99999999999999999999}"),
    ("(ab|cd|ef){0,50000}", "(ab|cd|ef){0,50000}"),
    ("exponential states", "(a|b)*a(a|b){24}"),
    ("exponential states, 200", "[ab]*a[ab]{200}"),
    ("intersecting dots", ".*a.*b.*c.*d.*e.*f.*g.*h.*i.*j.*k.*l.*m.*n.*"),
    ("30 optional tails", join(repeat("(.*[a-z]{10}){0,9}", 30))),
    ("10,000 alternatives", alternatives("", "word{}", 10000)),
    ("200,000 alternatives", alternatives("", "w{}", 200000)),
    ("alternatives of prefixes", alternatives("", "a{{{}}}", 2000)),
    ("depth 100,000 groups", join(repeat("(", 100000), "a", repeat(")", 100000))),
    ("depth 100,000 open groups", repeat("(", 100000)),
    ("depth 1,000 groups", join(repeat("(?:", 1000), "a", repeat(")?", 1000))),
    ("100,000 stars", join("a", repeat("*", 100000))),
    ("100,000 classes", repeat("[a-z]", 100000)),
    ("a class of 100,000", join("[", repeat("a\u4e00", 50000), "]")),
    ("nested classes", join(repeat("[", 10000), "a", repeat("]", 10000))),
    ("Unicode classes", repeat("\\p{L}\\P{N}\\w\\W\\d\\D", 500)),
    ("negated Unicode repeats", "[^\\p{L}]{1000}[\\p{Greek}&&[^α]]{1000}"),
    ("case-insensitive", "(?i)" + "straße" * 500),
    ("lookahead", "(?=a)b"),
    ("lookbehind", "(?<=a)b(?<!c)"),
    ("back reference", "(a)\\1"),
    ("recursion", "(a(?R)?b)"),
    ("atomic group", "(?>a+)b"),
    ("possessive", "a++b"),
    ("named groups x 10,000", lines("", "(?P<g{0}>a)", 10000)),
    ("flags x 50,000", repeat("(?i)", 50000)),
    ("nothing matches", "[^\\x{0}-\\x{10FFFF}]"),
    ("empty", ""),
    ("only an end", "$"),
    ("anchors inside", "a^b$c"),
    ("NUL", "a\x00b"),
    ("lone backslash", "\\"),
    ("bad escapes", "\\x{110000}\\u{}\\c"),
    ("not UTF-8", "\\xff\\xfe{100}"),
    ("emoji x 20,000", repeat("\U0001f468\u200d\U0001f469", 20000)),
    ("dot star x 5,000", repeat(".*", 5000)),
    ("dates with years", "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"),
    ("a mail address", "[a-z0-9._%+-]{1,64}@([a-z0-9-]{1,63}\\.){1,8}[a-z]{2,63}"),
]
REGEX_REFUSED = {
    "depth 100,000 open groups", "lookahead", "lookbehind", "back reference", "recursion",
    "lone backslash", "bad escapes", "15 MB literal",
    "a{0,99999999999999999999}", "nested classes",
}

AMBIGUOUS = 'start: e\ne: e e | "a" | "b" | "c" | " " | /[a-z]/\n'
LARK = [
    ("chain of 3,000 rules", lines("start: r0\n", "r{0}: r{1}\n", 3000, 'r3000: "a"\n')),
    ("chain of 100,000 rules", lines("start: r0\n", "r{0}: r{1}\n", 100000, 'r100000: "a"\n')),
    ("chain of 300 rules", lines("start: r0\n", "r{0}: r{1}\n", 300, 'r300: "a"\n')),
    ("chain of 4,000 terminals", lines("start: T0\n", "T{0}: T{1}\n", 4000, 'T4000: "a"\n')),
    ("chain of 4,000 terminals with text",
     lines("start: T0\n", 'T{0}: "x" T{1}\n', 4000, 'T4000: "a"\n')),
    ("chain of optional rules",
     lines("start: r0\n", 'r{0}: r{1}? r{1}? "a"?\n', 60, 'r60: "a"?\n')),
    ("2^40 by rules", lines("start: r0\n", "r{0}: r{1} r{1}\n", 40, 'r40: "a"\n')),
    ("2^40 by terminals", lines("start: T0\n", "T{0}: T{1} T{1}\n", 40, 'T40: "a"\n')),
    ("left-recursive ring", lines("start: r0\n", "r{0}: r{1}\n", 3, "r3: r0\n")),
    ("left-recursive ring with an end",
     lines("start: r0\n", 'r{0}: r{1} "b" | "a"\n', 3, 'r3: r0 "c" | "d"\n')),
    ("ring of 3,000 rules", lines("start: r0\n", "r{0}: r{1}\n", 3000, "r3000: r0\n")),
    ("rule of itself", "start: start\n"),
    ("rule of itself twice", "start: start start\n"),
    ("terminal of itself", "start: T\nT: T\n"),
    ("ring of terminals", "start: A\nA: B\nB: C\nC: A\n"),
    ("nullable recursion", 'start: a\na: a a |\n'),
    ("ambiguous", AMBIGUOUS),
    ("ambiguous, deep", 'start: a\na: a a a | a a | "x"\n'),
    ("100,000 alternatives", alternatives("start: ", '"w{}"', 100000)),
    ("3,000 alternatives", alternatives("start: ", '"w{}"', 3000)),
    ("100,000 rule alternatives",
     join(alternatives("start: ", "r{}", 100000), "\n", lines("", 'r{0}: "{0}"\n', 100000))),
    ("100,000 items in a row", join("start: ", repeat('"a" ', 100000))),
    ("100,000 optional items", join("start: ", repeat('"a"? ', 100000))),
    ("nested parentheses", join("start: ", repeat("(", 100000), '"a"', repeat(")", 100000))),
    ("nested optional", join("start: ", repeat("[", 20000), '"a"', repeat("]", 20000))),
    ("500 nested parentheses", join("start: ", repeat("(", 500), '"a"', repeat(")?", 500))),
    ("repeat of a million", 'start: "a"~1000000\n'),
    ("nested repeats", "start: ((((r~0..99)~0..99)~0..99)~0..99)\nr: /[a-z]/\n"),
    ("repeat of 10^18", 'start: "a"~0..1000000000000000000\n'),
    ("undefined rule", "start: nothing\n"),
    ("undefined terminal", "start: NOTHING\n"),
    ("no start", 'a: "b"\n'),
    ("two starts", 'start: "a"\nstart: "b"\n'),
    ("5,000 imports", join(repeat("%import common.INT\n", 5000), "start: INT\n")),
    ("import of a file", "%import .etc.passwd\nstart: passwd\n"),
    ("import of nothing", "%import nothing.NOTHING\nstart: NOTHING\n"),
    ("ignore of everything", 'start: "a"\n%ignore /(.|\\n)*/\n'),
    ("5,000 ignores", join('start: "a"\n', repeat("%ignore /a+/\n", 5000))),
    ("regex a?^20000", join("start: /", repeat("a?", 20000), "/\n")),
    ("regex of exponential states", "start: /(a|b)*a(a|b){24}/ start?\n"),
    ("literal of 10 MB", join('start: "', repeat("l", 10 * MIB), '"\n')),
    ("7 MB of newlines", repeat("\n", 7 * MIB)),
    ("10 MB of comment", join("// ", repeat("c", 10 * MIB), '\nstart: "a"\n')),
    ("%json with a schema", 'start: %json {"type":"integer","multipleOf":62615533}\n'),
    ("%json with a chain", join('start: %json {"$ref":"#/$defs/d0","$defs":{',
                                lines("", '"d{0}":{{"$ref":"#/$defs/d{1}"}},', 2500),
                                '"d2500":{"type":"null"}}}\n')),
    ("%json nested", join("start: %json ", repeat('{"items":', 20000), "1", repeat("}", 20000))),
    ("%lark nested", join("start: ", repeat("%lark { start: ", 500), '"a"', repeat("}", 500))),
    ("%llguidance settings", '%llguidance {"no_forcing": true}\nstart: "a"\n'),
    ("%llguidance wrong", '%llguidance {"x": \nstart: "a"\n'),
    ("stop and suffix", 'start: a\na[stop="x", suffix=/y*/]: /.*/\n'),
    ("lazy and max_tokens", 'start: a b\na[lazy, max_tokens=1000000000]: /.*/\nb: "c"\n'),
    ("temperature", 'start: a\na[temperature=1e308]: /.*/\n'),
    ("parametric rules", 'start: p::0\np::_: "a" p::incr(_) %if lt(_, 1000000) | "b"\n'),
    ("special tokens", "start: <|im_end|> <[0-49151]> <|none|>\n"),
    ("token ranges", join("start: ", repeat("<[0-49151]> ", 20000))),
    ("gen grammar tool calls", "start: @sub\n"),
    ("unfinished", 'start: "a'),
    ("empty", ""),
    ("NUL", 'start: "a\x00b"\n'),
    ("binary", "\x01\x02\x03 start \x7f"),
    ("5,000 templates", lines("", "t{0}{{a}}: a\n", 5000, "start: t0{t1}\n")),
    ("intersection and negation", "start: T\nT: /a*/ & ~/.*b.*/ & /(a|b){1,500}/\n"),
    ("500 intersections", join("start: T\nT: ", repeat("/.*a.*/ & ", 500), "/.*/\n")),
    ("arithmetic", 'start: sum\nsum: product (("+" | "-") product)*\nproduct: atom (("*" | "/") '
     'atom)*\natom: /[0-9]{1,9}/ | "(" sum ")"\n'),
]
LARK_REFUSED = {
    "chain of 100,000 rules", "rule of itself", "terminal of itself", "ring of terminals",
    "undefined rule", "undefined terminal", "no start", "two starts", "import of a file",
    "import of nothing", "unfinished", "empty", "binary", "%llguidance wrong",
    "gen grammar tool calls",
}

CHOICE = [
    ("2,000 strings", numbered("choice number {}", 2000)),
    ("50,000 strings", numbered("choice {}", 50000)),
    ("200,000 strings", numbered("c{}", 200000)),
    ("1,000,000 strings", numbered("c{}", 1000000)),
    ("2,000 long strings", numbered("x" * 1000 + "{}", 2000)),
    ("one of 15 MB", [repeat("c", 15 * MIB)]),
    ("prefixes of each other", [repeat("a", i) for i in range(1, 1000)]),
    ("the same 100,000 times", array("same", 100000)),
    ("regular expressions", array("(a*)*b", 100)),
    ("NUL and newlines", ["\x00", "\n", "\r", "\u2028"]),
    ("emoji", numbered("\U0001f468\u200d\U0001f469{}", 1000)),
    ("empty string among them", ["", "a"]),
    ("none", []),
    ("not strings", [1, 2]),
    ("quotes and slashes", ['"', "\\", "\\\\", '"\\"', "/", "a\\"]),
    ("two", ["yes", "no"]),
]
CHOICE_REFUSED = {"none", "not strings", "1,000,000 strings"}


def expected(name, refused):
    return {"expect": REFUSED} if name in refused else {}


CASES = [regex(name, value, **expected(name, REGEX_REFUSED)) for name, value in REGEX]
CASES += [lark(name, value, **expected(name, LARK_REFUSED)) for name, value in LARK]
CASES += [choice(name, value, **expected(name, CHOICE_REFUSED)) for name, value in CHOICE]
CASES += [
    lark("ambiguous, 4 streams", AMBIGUOUS, count=4, cpu_s=12.0, wall_s=10.0),
    choice("2,000 strings, 8 at once", numbered("choice number {}", 2000), count=8, cpu_s=16.0,
           wall_s=10.0),
    regex("a?^20000, 16 at once", repeat("a?", 20000), count=16, cpu_s=24.0, wall_s=15.0),
]
