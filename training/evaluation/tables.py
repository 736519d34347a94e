"""Tables of measured PSNR in Markdown, printed figures beside measured ones; see training.report for where they go."""

import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from models.networks.base import ColorRule
from training.evaluation import metrics
from training.evaluation.benchmarks import VALIDATION_CASES
from training.evaluation.measured_models import MeasuredModel, plain_rows
from training.evaluation.metrics import Metric
from training.evaluation.protocols import PAIRS, PROTOCOLS, SHIFTS, TENS
from training.evaluation.published import Published, literature
from training.evaluation.score_files import Setting, is_usual_save
from training.evaluation.scoring import COLOR_NOTES
from training.evaluation.uncompressed import CONVENTION as CONVENTION_UNCOMPRESSED

MISSING = "–"


def markdown(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    """A table's lines, numbers to the right; nothing where there is no line below the heading."""
    lines, rule = list(lines), ["---", *["---:"] * (len(heading) - 1)]
    return ["| " + " | ".join(line) + " |" for line in (heading, rule, *lines)] if lines else []


def figures(
    rows: Mapping[Any, Mapping[str, Any]],
    keys: Iterable[Any],
    name: str = "psnr_db",
    sign: str = "",
    digits: int = 2,
) -> list[str]:
    """One figure of each row; MISSING where there is no row."""
    return [number(rows.get(key), name, sign, digits) for key in keys]


def number(row: Mapping[str, Any] | None, name: str, sign: str = "", digits: int = 2) -> str:
    """One figure of a row; MISSING where there is no row."""
    return figure(row.get(name) if row else None, sign, digits)


def figure(value: float | None, sign: str = "", digits: int = 2) -> str:
    """With a true minus sign; MISSING for None."""
    return MISSING if value is None else f"{value:{sign}.{digits}f}".replace("-", "−")


def percent(row: Mapping[str, Any] | None, name: str) -> str:
    """A share 0..1 of a row; MISSING where there is no row."""
    return MISSING if row is None else f"{row[name]:.0%}"


def setting_of(data: str) -> Setting:
    """How a data set's tables are measured: by its protocol, whole, with the files' tables in sight."""
    return Setting(data, PROTOCOLS[data].color)


def psnr_table(models: list[MeasuredModel], data: str) -> str:
    """PSNR by quality factor with cost: every measured model, weakest first, under it what its paper prints.

    Args:
        models: from measured_models().
        data: a data set with a protocol.
    """
    setting, notes = setting_of(data), Notes()
    factors = [factor for factor in PROTOCOLS[data].quality_factors if factor in TENS]
    printed = literature().single_saves.get(data, [])
    plain = _plain_singles(models, setting)
    lines = [["plain decoding", *[MISSING] * 3, *figures(plain, factors)]] if plain else []
    measured = [
        (f"{model.title}{', blind' * hidden}", model, model.single_saves(replace(setting, blind=hidden)))
        for model in models
        for hidden in (False, True)
        if model.single_saves(replace(setting, blind=hidden))
    ]
    told = set()
    for title, model, rows in sorted(measured, key=lambda each: min(each[2].items())[1]["psnr_db"]):
        lines.append([title, *_cost(rows), *figures(rows, factors)])
        if model.card.name not in told:
            beside = [each for each in printed if each.model == model.card.name]
            lines += [_printed_line(each, factors, notes) for each in beside]
        told.add(model.card.name)
    others = [each for each in printed if each.model not in told]
    lines += [
        _printed_line(each, factors, notes) for each in sorted(others, key=lambda each: each.psnr_db[10])
    ]
    heading = ["model", "M parameters", "MMAC/px", "MP/s", *(f"QF{factor}" for factor in factors)]
    return "\n".join([*_above(models, data, plain.values()), *markdown(heading, lines), *notes.lines()])


def similarity_table(models: list[MeasuredModel], data: str = "LIVE1") -> str:
    """All metrics but PSNR at low quality factors."""
    setting, factors = setting_of(data), (10, 20, 30, 40)
    measured = [model for model in models if model.single_saves(setting)]
    listed = [("plain decoding", _plain_singles(models, setting))]
    listed += [(model.title, model.single_saves(setting)) for model in measured]
    told = _told(row for _title, rows in listed for row in rows.values())[1:]
    lines = []
    for title, rows in listed:
        values = [figures(rows, factors, metric.name, digits=metric.digits) for metric in told]
        lines.append([title, *(" / ".join(cell) for cell in zip(*values, strict=True))])
    titles = [f"{metric.title} in {metric.unit}" if metric.unit else metric.title for metric in told]
    intro = f"{data}: {' / '.join(titles)}." + unmeasured(models, measured, setting)
    return "\n".join([intro, "", *markdown(["model", *(f"QF{factor}" for factor in factors)], lines)])


def double_table(models: list[MeasuredModel], data: str = "LIVE1_gray") -> str:
    """Plain decoding of double saves, and what every model gains on it, one table per grid shift."""
    setting, notes, parts = setting_of(data), Notes(), []
    plain = {tuple(row["double"]): row for row in plain_rows(models, setting) if row["double"] is not None}
    measured = [model for model in models if model.double_saves(setting)]
    for shift in SHIFTS:
        keys = [(*pair, *shift) for pair in PAIRS]
        lines = [["plain decoding, dB", *figures(plain, keys)]] if plain else []
        here = []
        for model in measured:
            gains = {key: row for key, row in model.double_saves(setting).items() if key in keys}
            if gains:
                mean = statistics.fmean(row["gain_db"] for row in gains.values())
                here.append((mean, model.title, figures(gains, keys, "gain_db", "+")))
        lines += [[title, *cells] for _mean, title, cells in sorted(here)]
        for each in literature().double_saves.get(data, []):
            if each.shift == shift:
                gained = [each.gain_db(f"{first},{second}") for first, second in PAIRS]
                title = notes.mark(f"*printed: {each.method}*", each)
                lines.append([title, *(f"*{figure(gain, '+')}*" for gain in gained)])
        heading = [f"shift {shift[0]}, {shift[1]}", *(f"{first}, {second}" for first, second in PAIRS)]
        parts += ["", *markdown(heading, lines)]
    intro = f"{data}, {_pictures(plain.values())}saved twice at the quality factors in the heading (first, second), "
    intro += (
        "the grid shifted by so many rows and columns in between. Gains on plain decoding in dB PSNR of gray."
    )
    return "\n".join([intro + unmeasured(models, measured, setting), *parts, *notes.lines()])


def safety_table(models: list[MeasuredModel], data: str = "LIVE1") -> str:
    """What a model may make worse, and what it takes: the facts that a mean hides."""
    setting = setting_of(data)
    measured = [model for model in models if model.single_saves(setting)]
    lines = []
    for model in measured:
        rows = model.single_saves(setting)
        usual = typical_row(rows.values())
        worst = figures(rows, (10, 40, 80, 90), "worst_gain_db", "+")
        worse = [percent(rows.get(factor), "share_worse") for factor in (80, 90, 95)]
        lines.append(
            [
                model.title,
                " / ".join(worst),
                " / ".join(worse),
                f"{usual['milliseconds_per_megapixel']:.0f}",
                f"{usual['times_plain_decoding']:.0f}",
                f"{usual['peak_memory_mb']:.0f}",
            ]
        )
    heading = [
        "model",
        "gain of the picture that gains least, dB at QF 10 / 40 / 80 / 90",
        "pictures made worse at QF 80 / 90 / 95",
        "ms/MP",
        "× plain decoding",
        "peak MB",
    ]
    intro = (
        f"{data}: what the means hide, and what restoring takes. Peak memory is that of the whole process; on a GPU, "
        "that of the GPU."
    )
    return "\n".join([intro + unmeasured(models, measured, setting), "", *markdown(heading, lines)])


def untouched_table(models: list[MeasuredModel], data: str = "LIVE1") -> str:
    """What models change in pictures that were never compressed."""
    setting, lines = setting_of(data), []
    known = [model for model in models if setting.key in model.measurements]
    measured = [model for model in known if model.measurements[setting.key].never_compressed]
    for model in measured:
        change = model.measurements[setting.key].never_compressed or {}
        cells = [number(change, "psnr_db"), number(change, "mean_squared_change", digits=4)]
        cells += [f"{change['largest_change']}", number(change, "unguarded_largest_change", digits=0)]
        cells += [percent(change, "share_unchanged")]
        cells += [number(change, name, digits=3) for name in ("cost_db", "worst_cost_db")]
        lines.append([model.title, *cells])
    heading = [
        "model",
        "PSNR of result and picture",
        "mean squared change",
        "largest change",
        "unguarded",
        "pictures left as they are",
        "cost, dB",
        "worst picture's cost, dB",
    ]
    intro = f"{data} as it is, never compressed. {CONVENTION_UNCOMPRESSED}"
    return "\n".join([intro + unmeasured(models, measured, setting), "", *markdown(heading, lines)])


def other_protocols_table(models: list[MeasuredModel]) -> str:
    """Printed figures that were measured in another way, with the gain that is measured here in the nearest one."""
    notes, lines = Notes(), []
    for each in literature().other_protocols:
        labels = each.psnr_db
        columns = [
            [str(label) for label in labels],
            [figure(each.plain_db.get(label)) for label in labels],
            [figure(value) for value in each.psnr_db.values()],
            [figure(each.gain_db(label), "+") for label in labels],
        ]
        lines.append(
            [notes.mark(each.method, each), each.protocol, *(" / ".join(column) for column in columns)]
        )
        lines[-1].append(_gains_beside(models, each))
    heading = [
        "method",
        "measured on",
        "QF",
        "plain decoding",
        "restored",
        "gain",
        "nearest gain measured here",
    ]
    intro = "Printed figures, PSNR in dB, that belong in no column above, because they were measured in another way."
    return "\n".join([intro, "", *markdown(heading, lines), *notes.lines()])


def training_table(models: list[MeasuredModel], data: str = "LIVE1") -> str:
    """What every network was trained with, and what came of it.

    Args:
        models: from measured_models().
        data: a data set with a protocol.
    """
    factors, lines = (10, 40), []
    for model in models:
        rows, facts = model.single_saves(setting_of(data)), model.card.trained
        cells = [MISSING] * 5
        if facts is not None:
            of_luma = " (luma)" * ColorRule(model.card.color).plane_by_plane
            here = (
                " / ".join(figures(rows, factors)) if any(factor in rows for factor in factors) else MISSING
            )
            cells = [f"{facts.run_petaflop:.2f}", f"{facts.minutes:.0f}", ", then ".join(facts.machines)]
            cells += [f"{facts.validation_db:.2f}{of_luma}", here]
        lines.append([model.title, f"{model.card.mmac_per_pixel:.3f}", *cells])
    intro = (
        "Same pictures and same degradations. PFLOP: training operations of the whole run (6 × MAC/px × pixels of "
        "patches). Minutes are those until the weights that validation picked. Validation: mean PSNR in dB over "
        f"{len(VALIDATION_CASES)} ways of breaking the validation pictures; of RGB, or of luma for networks of single "
        f"planes, which says nothing beside the others. {data}: PSNR in dB at quality factors "
        f"{' / '.join(map(str, factors))}, comparable throughout."
    )
    heading = ["network", "MMAC/px", "PFLOP", "minutes", "on", "validation", data]
    return "\n".join([intro, "", *markdown(heading, lines)])


def _gains_beside(models: list[MeasuredModel], printed: Published) -> str:
    """The gains of our network of that method in the setting that comes nearest, at the same quality factors."""
    model = next((model for model in models if model.card.name == printed.model), None)
    if model is None or printed.beside is None:
        return MISSING
    rows = model.single_saves(Setting(*printed.beside))
    return " / ".join(figures(rows, printed.psnr_db, "gain_db", "+")) if rows else MISSING


class Notes:
    """Numbered notes under a table: where printed figures come from, and what to know of them."""

    def __init__(self) -> None:
        """Begin without notes."""
        self.texts: list[str] = []

    def mark(self, title: str, published: Published) -> str:
        """The title with the number of its note."""
        plain = " / ".join(f"{value:.2f}" for value in published.plain_db.values())
        own = (
            f"; its own plain decoding: {plain}"
            if plain and not published.protocol and not published.shift
            else ""
        )
        quoted = " (quoted, not checked against the paper)" * published.quoted
        text = f"{published.source}: {published.remark}{own}{quoted}."
        if text not in self.texts:
            self.texts.append(text)
        return f"{title} <sup>{self.texts.index(text) + 1}</sup>"

    def lines(self) -> list[str]:
        """The notes as a list, after an empty line."""
        return ["", *(f"{number}. {text}" for number, text in enumerate(self.texts, 1))] if self.texts else []


def _told(rows: Iterable[Mapping[str, Any]]) -> list[Metric]:
    """The metrics that all rows have values of; those that are not slow where there is no row."""
    rows = list(rows)
    if not rows:
        return list(metrics.fast_metrics())
    return [metric for metric in metrics.METRICS if all(metric.name in row for row in rows)]


def _above(models: list[MeasuredModel], data: str, plain: Collection[dict[str, Any]]) -> list[str]:
    """What the table shows, by which convention, on which machine, and what is missing."""
    setting = setting_of(data)
    measured = [model for model in models if model.single_saves(setting)]
    convention = COLOR_NOTES[setting.color]
    if data == "LIVE1":
        convention = f"{metrics.convention(_told(plain))} {convention}"
    intro = (
        f"{data}, {_pictures(plain)}PSNR in dB by quality factor (QF); the networks see the files' quantization tables "
        f"unless they are called blind. {convention}{_machines(measured, setting)} Rows in italics are printed figures."
    )
    return [intro + unmeasured(models, measured, setting), ""]


def _machines(measured: list[MeasuredModel], setting: Setting) -> str:
    """A sentence on where speeds were measured; where there is more than one machine, what on which."""
    machines: dict[str, list[str]] = {}
    for model in measured:
        machine = typical_row(model.single_saves(setting).values())["machine"]
        machines.setdefault(machine, []).append(model.title)
    if not machines:
        return ""
    if len(machines) == 1:
        return f" MP/s: the median of restoring alone, on {next(iter(machines))}."
    places = "; ".join(f"{', '.join(titles)} on {machine}" for machine, titles in machines.items())
    return f" MP/s: the median of restoring alone, to be compared on one machine only: {places}."


def unmeasured(models: list[MeasuredModel], measured: list[MeasuredModel], setting: Setting) -> str:
    """A sentence on checkpoints whose scores are missing, or are of weights since replaced."""
    missing = [model for model in models if model not in measured]
    stale = [model.title for model in missing if setting.key in model.replaced]
    never = [model.title for model in missing if setting.key not in model.replaced]
    sentences = [f" Not measured yet: {', '.join(never)}."] if never else []
    if stale:
        sentences.append(
            f" Left out, because their weights, or the way of measuring, changed since: {', '.join(stale)}."
        )
    return "".join(sentences)


def _plain_singles(models: list[MeasuredModel], setting: Setting) -> dict[int, dict[str, Any]]:
    return {row["quality_factor"]: row for row in plain_rows(models, setting) if is_usual_save(row)}


def _cost(rows: Mapping[int, dict[str, Any]]) -> list[str]:
    usual = typical_row(rows.values())
    return [
        f"{usual['parameters'] / 1e6:.2f}",
        f"{usual['mmac_per_pixel']:.3f}",
        f"{usual['megapixels_per_second']:.2f}",
    ]


def _printed_line(published: Published, factors: Sequence[int], notes: Notes) -> list[str]:
    cost = [MISSING if value is None else f"*{value:g}*" for value in (published.parameters, published.mmac)]
    found = [published.psnr_db.get(factor) for factor in factors]
    cells = [MISSING if value is None else f"*{figure(value)}*" for value in found]
    return [notes.mark(f"*printed: {published.method}*", published), *cost, MISSING, *cells]


def _pictures(rows: Iterable[dict[str, Any]]) -> str:
    counts = {row["images"] for row in rows}
    return f"{counts.pop()} pictures, " if len(counts) == 1 else ""


def typical_row(rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The row of median speed among those of the machine that measured most of them."""
    rows = list(rows)
    machine = Counter(row["machine"] for row in rows).most_common(1)[0][0]
    there = [row for row in rows if row["machine"] == machine]
    median = statistics.median_low(row["milliseconds_per_megapixel"] for row in there)
    return next(row for row in there if row["milliseconds_per_megapixel"] == median)
