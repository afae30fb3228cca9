"""Draws the medians of compare.py as SVG charts."""

import html
import math

from report import number

COLOURS = ("#1769aa", "#d9822b", "#7a7f87", "#6aa84f", "#b9bdc4", "#9c5fb5")


def text(x, y, words, **more):
    attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
    return f'<text x="{x:.0f}" y="{y:.0f}"{attributes}>{html.escape(words)}</text>'


def document(width, height, title, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13" fill="#222">\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        + "\n".join([text(10, 26, title, font_size=15), *parts])
        + "\n</svg>\n"
    )


def round_step(largest):
    """A round step of the axis: the largest value takes four or five of them."""
    power = 10 ** math.floor(math.log10(largest / 4))
    return next(s * power for s in (1, 2, 2.5, 5, 10) if s * power * 5 >= largest)


def bars(title, figures, medians):
    """A block of bars for each figure, one bar for each subject."""
    longest, bar, gap = 340, 18, 14
    left = 20 + 7 * max(len(figure.description()) for figure in figures)
    parts = []
    y = 48
    for figure in figures:
        values = {name: m[figure.key] for name, m in medians.items() if figure.key in m}
        if not values:
            continue
        parts.append(text(10, y + len(values) * bar / 2 + 5, figure.description()))
        largest = max(*values.values(), 1e-9)
        for name, colour in zip(medians, COLOURS, strict=False):
            if name not in values:
                continue
            width = longest * max(values[name], 0) / largest
            parts.append(
                f'<rect x="{left}" y="{y}" width="{width:.0f}" height="{bar - 3}" fill="{colour}"/>'
            )
            parts.append(text(left + width + 6, y + 12, f"{number(values[name])}  {name}"))
            y += bar
        y += gap
    return document(left + longest + 240, y, title, parts)


def lines(title, chart, medians):
    """One line for each subject. Points of the x axis are equidistant, because their values double. The
    y axis starts at 0."""
    left, top, width, height = 70, 60, 620, 300
    series = {}
    for name, values in medians.items():
        known = [(i, values[key]) for i, (_, key) in enumerate(chart.points) if key in values]
        if known:
            series[name] = known
    largest = max((y for known in series.values() for _, y in known), default=1) or 1
    mark = round_step(largest)
    marks = math.ceil(largest / mark)
    largest = marks * mark
    step = width / max(1, len(chart.points) - 1)
    parts = [text(10, 44, chart.title)]
    for i in range(marks + 1):
        y = top + height - height * i / marks
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        parts.append(text(left - 8, y + 4, f"{mark * i:g}", text_anchor="end"))
    for i, (x, _) in enumerate(chart.points):
        parts.append(text(left + i * step, top + height + 18, str(x), text_anchor="middle"))
    parts.append(text(left + width / 2, top + height + 38, chart.x_label, text_anchor="middle"))
    for row, ((name, known), colour) in enumerate(zip(series.items(), COLOURS, strict=False)):
        places = [(left + i * step, top + height - height * y / largest) for i, y in known]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(text(left + width + 20, top + 14 + 20 * row, name, fill=colour))
    return document(left + width + 200, top + height + 60, title, parts)
