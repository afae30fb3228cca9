"""Parts of the comparison, and their medians, ratios and tables."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True)
class Figure:
    key: str
    label: str
    less_is_better: bool = False

    def description(self):
        return self.label + (" (less is better)" if self.less_is_better else "")


@dataclasses.dataclass(frozen=True)
class Lines:
    """A line chart: `points` are (x, key of a figure), one line for each subject."""

    title: str
    x_label: str
    points: Sequence[tuple[int, str]]


@dataclasses.dataclass(frozen=True)
class Subject:
    """A measured program. `measure` returns figures by their keys, and further results to keep. `base`
    is the subject of edgegate that this one is compared with. `needs` are the paths that it requires."""

    name: str
    measure: Callable[[], dict]
    base: str | None = None
    needs: Sequence = ()


@dataclasses.dataclass(frozen=True)
class Part:
    title: str
    subjects: Sequence[Subject]
    figures: Sequence[Figure]
    lines: Sequence[Lines] = ()  # no lines: bars
    remarks: Callable[[dict], list[str]] = lambda rounds: []  # sentences about all rounds


def percentile(values, share):
    ordered = sorted(values)
    return ordered[round(share * (len(ordered) - 1))]


def medians_of(rounds):
    """Median of each numeric figure; the first round's value of others. A round may lack figures."""

    def median(values):
        return statistics.median(values) if isinstance(values[0], int | float) else values[0]

    keys = dict.fromkeys(key for figures in rounds for key in figures)
    return {key: median([figures[key] for figures in rounds if key in figures]) for key in keys}


def advantages_of(ours, theirs, figures):
    """Gives how many times better edgegate is, for each figure. Above 1 is better for every figure."""
    found = {}
    for figure in figures:
        if ours.get(figure.key) and theirs.get(figure.key):
            ratio = ours[figure.key] / theirs[figure.key]
            found[figure.key] = 1 / ratio if figure.less_is_better else ratio
    return found


def summary_of(part, rounds):
    """Summary of a part. `rounds` has the rounds' figures of each subject."""
    medians = {name: medians_of(of_subject) for name, of_subject in rounds.items() if of_subject}
    bases = {s.name: s.base for s in part.subjects if s.name in medians and s.base in medians}
    return {
        "title": part.title,
        "medians": medians,
        "advantages": {
            name: advantages_of(medians[base], medians[name], part.figures)
            for name, base in bases.items()
        },
        "remarks": part.remarks(rounds) if medians else [],
        "rounds": rounds,
    }


def number(value):
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def cell_of(summary, name, key):
    values = summary["medians"][name]
    if key not in values:
        return "-"
    advantage = summary["advantages"].get(name, {}).get(key)
    return number(values[key]) + (f" (x {number(advantage)})" if advantage else "")


def print_summary(part, summary):
    """One table for each of edgegate's subjects and what is compared with it."""
    print(f"\n{summary['title']}")
    present = [s for s in part.subjects if s.name in summary["medians"]]
    for base in [s for s in present if s.base not in summary["medians"]]:
        names = [base.name, *(s.name for s in present if s.base == base.name)]
        figures = [f for f in part.figures if any(f.key in summary["medians"][n] for n in names)]
        header = f"x: {base.name} is so many times better" if len(names) > 1 else ""
        rows = [[header, *names]]
        for figure in figures:
            rows.append(
                [figure.description(), *(cell_of(summary, name, figure.key) for name in names)]
            )
        print_rows(rows)
    for remark in summary["remarks"]:
        print(remark)


def print_rows(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for label, *cells in rows:
        line = label.ljust(widths[0])
        for cell, width in zip(cells, widths[1:], strict=True):
            line += "  " + cell.rjust(width)
        print(line.rstrip())
