"""What papers print of the networks, as tables and as points of a figure, beside what was measured here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.catalog.rows import COLOR, CatalogRow
from training.evaluation.published import Label, Published, literature
from training.evaluation.score_files import Setting
from training.evaluation.tables import setting_of


@dataclass(frozen=True)
class PrintedLine:
    """One printed figure.

    Attributes:
        label: the quality, or qualities, for people.
        psnr_db: as printed.
        gain_db: over the plain decoding that the source prints; None where it prints none.
        here_psnr_db, here_gain_db: of the model here, measured in the same way; None where not.
    """

    label: str
    psnr_db: float
    gain_db: float | None = None
    here_psnr_db: float | None = None
    here_gain_db: float | None = None


@dataclass(frozen=True, eq=False)
class PrintedTable:
    """One row of a paper's table.

    Attributes:
        published: the row.
        where: data set, saves and color.
        lines: its figures.
    """

    published: Published
    where: str
    lines: Sequence[PrintedLine]


def printed_tables(row: CatalogRow) -> list[PrintedTable]:
    """All that is printed of a model's architecture, in the order of published.yaml; nothing beside own models."""
    if row.own or not row.card.architecture:
        return []
    return [table for table in _all_tables(row) if table.published.model == row.card.architecture]


def printed_elsewhere(rows: Iterable[CatalogRow]) -> list[PrintedTable]:
    """All that is printed of networks that are not here."""
    here = {row.card.architecture for row in rows if not row.own and row.card.architecture}
    return [table for table in _all_tables(None) if table.published.model not in here]


def _all_tables(row: CatalogRow | None) -> list[PrintedTable]:
    """Of all sources; beside each the figures of a row's model."""
    printed, measured, tables = literature(), row.measured if row else None, []
    for data, sources in printed.single_saves.items():
        setting = setting_of(data)
        singles: dict[Any, dict[str, Any]] = {**measured.single_saves(setting)} if measured else {}
        where = f"{data}, single saves, {_color_words(setting)}"
        for source in sources:
            lines = [_line(source, label, str(label), singles.get(label)) for label in source.psnr_db]
            tables.append(PrintedTable(source, where, lines))
    for data, sources in printed.double_saves.items():
        setting = setting_of(data)
        for source in sources:
            shift = source.shift or (0, 0)
            here = measured.double_saves(setting) if measured else {}
            where = f"{data}, saved twice, grid shifted by {shift[0]} and {shift[1]}, {_color_words(setting)}"
            lines = []
            for label in source.psnr_db:
                first, second = map(int, str(label).split(","))
                lines.append(
                    _line(source, label, f"{first}, then {second}", here.get((first, second, *shift)))
                )
            tables.append(PrintedTable(source, where, lines))
    for source in printed.other_protocols:
        lines = [_line(source, label, str(label), None) for label in source.psnr_db]
        tables.append(PrintedTable(source, source.protocol, lines))
    return tables


def _color_words(setting: Setting) -> str:
    return "PSNR of gray" if setting.color == "gray" else "PSNR of R, G and B"


def _line(source: Published, label: Label, words: str, here: Mapping[str, Any] | None) -> PrintedLine:
    here = here or {}
    return PrintedLine(
        words, source.psnr_db[label], source.gain_db(label), here.get("psnr_db"), here.get("gain_db")
    )


@dataclass(frozen=True)
class Peer:
    """A printed network as a point beside the measured ones.

    Attributes:
        published: the row.
        gain_db: at the quality that was asked for.
        over: whose plain decoding the gain is over, for people.
    """

    published: Published
    gain_db: float
    over: str


def peers(quality_factor: int, plain: CatalogRow | None) -> list[Peer]:
    """Printed networks whose operations and gain on LIVE1 in color are known.

    Args:
        quality_factor: of the files.
        plain: gives the plain decoding where a source prints none.
    """
    found = []
    known = (plain.singles if plain else {}).get(quality_factor, {}).get("psnr_db")
    for source in literature().single_saves.get(COLOR.data, []):
        gain, over = source.gain_db(quality_factor), "its source's plain decoding"
        if gain is None and known is not None and quality_factor in source.psnr_db:
            gain, over = source.psnr_db[quality_factor] - known, "plain decoding as measured here"
        if gain is not None and source.mmac is not None:
            found.append(Peer(source, gain, over))
    return found
