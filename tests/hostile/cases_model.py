"""Hostile chat templates: (name, template).

Each stands in a copy of a tiny model. The daemon refuses the model with exit code 3, or serves it and
answers requests for it with 200 or 400.
"""

from generate import join, repeat

MESSAGES = "{% for m in messages %}{{ m.content }}{% endfor %}"
LOOP = "{% for i in range(100) %}"
DOUBLE = "{% set ns = namespace(x={0}) %}" + LOOP + "{% set ns.x = {1} %}{% endfor %}{{ ns.x|length }}"


def double(start, step):
    return DOUBLE.replace("{0}", start).replace("{1}", step)


N = 100000
TEMPLATES = [
    ("100,000 not", join("{{ ", repeat("not ", N), "x }}")),
    ("100,000 |string", join("{{ x", repeat("|string", N), " }}")),
    ("100,000 .a", join("{{ x", repeat(".a", N), " }}")),
    ("100,000 +", join("{{ 1", repeat(" + 1", N), " }}")),
    ("100,000 ~", join("{{ 1", repeat(" ~ 1", N), " }}")),
    ("100,000 -", join("{{ ", repeat("-", N), "1 }}")),
    ("100,000 **", join("{{ 1", repeat(" ** 1", N), " }}")),
    ("100,000 and", join("{{ 1", repeat(" and 1", N), " }}")),
    ("100,000 comparisons", join("{{ 1", repeat(" == 1", N), " }}")),
    ("100,000 calls", join("{{ x", repeat("()", N), " }}")),
    ("100,000 methods", join("{{ x", repeat(".a()", N), " }}")),
    ("100,000 indices", join("{{ x", repeat("[0]", N), " }}")),
    ("100,000 slices", join("{{ x", repeat("[1:2]", N), " }}")),
    ("100,000 conditionals", join("{{ 1", repeat(" if 1 else 1", N), " }}")),
    ("100,000 tests", join("{{ 1", repeat(" is defined", N), " }}")),
    ("100,000 parentheses", join("{{ ", repeat("(", N), "1", repeat(")", N), " }}")),
    ("100,000 brackets", join("{{ ", repeat("[", N), "1", repeat("]", N), " }}")),
    ("100,000 objects", join("{{ ", repeat("{'a':", N), "1", repeat("}", N), " }}")),
    ("10,000 ifs", join(repeat("{% if 1 %}", 10000), "x", repeat("{% endif %}", 10000))),
    ("10,000 fors", join(repeat("{% for i in [1] %}", 10000), "x", repeat("{% endfor %}", 10000))),
    ("10,000 elifs", join("{% if 0 %}", repeat("{% elif 0 %}", 10000), "{% endif %}")),
    ("1,000,000 expressions", join(repeat("{{ 1 }}", 1000000), MESSAGES)),
    ("a 16 MB literal", join(repeat("x", 16 << 20), MESSAGES)),
    ("a doubled string", double("'xxxxxxxx'", "ns.x ~ ns.x")),
    ("a string doubled by +", double("'xxxxxxxx'", "ns.x + ns.x")),
    ("a doubled list", double("[1, 2]", "ns.x + ns.x")),
    ("a list in itself", double("[1]", "[ns.x, ns.x]")),
    ("a string by *", "{{ ('x' * 1000000000)|length }}"),
    ("a list by *", "{{ ([1] * 1000000000)|length }}"),
    ("a string by replace", double("'aaaa'", "ns.x|replace('a', 'aaaa')")),
    ("a string by join", double("'ab'", "[ns.x, ns.x]|join(ns.x)")),
    ("a string by format", double("'ab'", "'%s%s' % (ns.x, ns.x)")),
    ("a string by tojson", double("'\"'", "ns.x|tojson")),
    ("a string by indent", double("'a\\n'", "(ns.x ~ ns.x)|indent(100)")),
    ("padding by center", "{{ 'x'|center(1000000000) }}"),
    ("padding by ljust", "{{ 'x'.ljust(1000000000) }}"),
    ("padding by format", "{{ '%1000000000d' % 1 }}"),
    ("a range of 10^9", "{% for i in range(1000000000) %}x{% endfor %}"),
    ("a list of a range", "{{ range(1000000000)|list|length }}"),
    ("nested ranges", join(repeat("{% for i in range(10000) %}", 4), "x",
                           repeat("{% endfor %}", 4))),
    ("recursion of a macro", "{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}"),
    ("recursion of a loop",
     "{% for i in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}"),
    ("recursion of macros that double",
     "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}x{% endmacro %}{{ m(60) }}"),
    ("10^15 by **", "{{ 10 ** 1000000 }}"),
    ("division by zero", "{{ 1 // 0 }}{{ 1 % 0 }}"),
    ("batch of 10^9", "{{ [1]|batch(1000000000, 0)|list|length }}"),
    ("slice of 10^9", "{{ [1]|slice(1000000000, 0)|list|length }}"),
    ("an include", "{% include '/etc/passwd' %}"),
    ("attributes of Python", "{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    ("raise_exception of 10 MB", join("{{ raise_exception('", repeat("x", 10 << 20), "') }}")),
    ("unfinished", "{% if"),
    ("not UTF-8", "\ud800"),
    ("nothing", ""),
]
