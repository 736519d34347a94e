"""Published: the printed figures of the literature, read from published.yaml, to stand beside measured ones."""

from dataclasses import field
from functools import cache
from pathlib import Path

import yaml
from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

PUBLISHED_FILE = Path(__file__).with_name("published.yaml")

STRICT = ConfigDict(extra="forbid")

Label = int | str
"""A quality factor; "10,30" for a double save; or what a figure is of, in words."""


@dataclass(frozen=True, eq=False, config=STRICT)
class Published:
    """One row of a paper's table.

    Attributes:
        method: as people know it.
        source, remark: where it is printed, and what to know before comparing.
        psnr_db: in dB.
        plain_db: the source's own do-nothing row; empty where it prints none.
        quoted: the figures were not checked against the source itself.
        model: name of the network here that it stands beside, "" for none.
        parameters: in millions, None where unknown.
        mmac: 1e6 multiply-accumulates per pixel, None where unknown.
        shift: rows and columns of grid shift of double saves.
        protocol: how it was measured, "" where as here.
        beside: data set and color of the measurement here that comes nearest to such a protocol, None for none.
    """

    method: str
    source: str
    remark: str
    psnr_db: dict[Label, float]
    plain_db: dict[Label, float] = field(default_factory=dict)
    quoted: bool = False
    model: str = ""
    parameters: float | None = None
    mmac: float | None = None
    shift: tuple[int, int] | None = None
    protocol: str = ""
    beside: tuple[str, str] | None = None

    def gain_db(self, label: Label) -> float | None:
        """Above the source's own plain decoding; None where it does not print both."""
        if label not in self.psnr_db or label not in self.plain_db:
            return None
        return self.psnr_db[label] - self.plain_db[label]


@dataclass(frozen=True, eq=False, config=STRICT)
class Literature:
    """Everything printed.

    Attributes:
        single_saves, double_saves: by data set.
        other_protocols: what must not stand in one column with measured figures.
    """

    single_saves: dict[str, list[Published]]
    double_saves: dict[str, list[Published]]
    other_protocols: list[Published]


@cache
def literature() -> Literature:
    """published.yaml, read once."""
    content = yaml.safe_load(PUBLISHED_FILE.read_text(encoding="utf-8"))
    return TypeAdapter(Literature).validate_python(content)
