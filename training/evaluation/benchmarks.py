"""What restorers are measured on: a folder of pictures, broken here the same way each time, or already."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from models.bounded_reading import read_at_most
from models.errors import InvalidSetting, RestorationError
from models.images import RgbImage, luma
from models.jpeg import Degradation, Degraded, JpegImage, Save, degrade, read
from models.jpeg.formats import SUFFIXES
from models.jpeg.limits import MAX_BYTES
from training.evaluation.metrics import Picture
from training.evaluation.protocols import Protocol
from training.evaluation.table_sets import TableSet, encode_with, table_set

USUAL_SUBSAMPLING = "4:2:0"
Break = Callable[..., Degraded]
"""Called as break_(pixels, gray=...): what a condition does to a clean picture."""


@dataclass(frozen=True, eq=False)
class Case:
    """One degraded picture and its original.

    Attributes:
        name: of the file.
        image: what restorers get.
        reference: the original, (rows, columns, 3) uint8 like image.pixels.
    """

    name: str
    image: JpegImage
    reference: RgbImage


@dataclass(frozen=True, eq=False)
class Condition:
    """One way in which all pictures of a set were broken: one row per model.

    Attributes:
        label: for people, such as "QF 10".
        quality_factor: of a single save, None for double saves, tables of no quality factor, and unknown ones.
        double: first and second quality factor, rows and columns of grid shift between; None for
            single saves.
        cases: makes the pictures anew, one by one.
        subsampling: of chroma, None where unknown.
        tables: name of the table_sets.TableSet that was used, "" for the tables of a quality factor.
    """

    label: str
    quality_factor: int | None
    double: tuple[int, int, int, int] | None
    cases: Callable[[], Iterator[Case]] = field(repr=False)
    subsampling: str | None = USUAL_SUBSAMPLING
    tables: str = ""

    @property
    def last_quality_factor(self) -> int | None:
        """The truth that an estimate is compared with."""
        return self.double[1] if self.double else self.quality_factor


def recompressed(
    folder: Path,
    *,
    quality_factors: Sequence[int] = (),
    quality_factors_444: Sequence[int] = (),
    tables: Sequence[str] = (),
    doubles: Sequence[tuple[int, int, int, int]] = (),
    gray: bool = False,
    limit: int | None = None,
) -> list[Condition]:
    """A folder of clean pictures, saved as JPEG in every way asked for.

    Args:
        folder: the clean pictures; gray ones are saved as gray JPEG.
        quality_factors: single saves at 4:2:0, as Pillow does by itself.
        quality_factors_444: single saves at 4:4:4.
        tables: names in training.evaluation.table_sets; each is saved at the subsampling it occurs with.
        doubles: see Condition.double; both saves at 4:2:0.
        gray: turn coloured pictures to their luma first.
        limit: only the first so many pictures by name.

    Raises:
        InvalidSetting: no such folder, no picture in it, or a setting out of range.
    """
    paths = _pictures_in(folder, limit)
    conditions = []
    singles = [(quality_factor, USUAL_SUBSAMPLING) for quality_factor in quality_factors]
    singles += [(quality_factor, "4:4:4") for quality_factor in quality_factors_444]
    for quality_factor, subsampling in singles:
        save = _saves(Save(quality_factor, subsampling))
        label = f"QF {quality_factor}" + f", {subsampling}" * (subsampling != USUAL_SUBSAMPLING)
        cases = _degraded_cases(paths, save, gray)
        conditions.append(Condition(label, quality_factor, None, cases, subsampling))
    for name in tables:
        chosen = table_set(name)
        cases = _degraded_cases(paths, partial(_save_with, tables=chosen), gray)
        conditions.append(Condition(chosen.label, None, None, cases, chosen.subsampling, name))
    for double in doubles:
        first, second, down, right = double
        saves = _saves(Save(first), Save(second, grid_shift=(down, right)))
        label = f"QF {first}, then {second} shifted {down},{right}"
        conditions.append(Condition(label, None, double, _degraded_cases(paths, saves, gray)))
    return conditions


def already_compressed(folder: Path, reference_folder: Path, *, limit: int | None = None) -> list[Condition]:
    """Pictures that are compressed already, and their originals by the same name without suffix.

    Args:
        folder: the compressed pictures, or folders of them such as qf_10, qf_20: one condition each.
        reference_folder: the originals.
        limit: only the first so many pictures of each folder by name.

    Raises:
        InvalidSetting: missing folders, no pictures, or no original for one.
    """
    references = {path.stem.lower(): path for path in _pictures_in(reference_folder, None)}
    _check_folder(folder)
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and any(_pictures(path)))
    conditions = []
    for each in folders or [folder]:
        paths = _pictures_in(each, limit)
        for path in paths:
            if path.stem.lower() not in references:
                raise InvalidSetting(
                    f"{path.name} in {each} has no original. Every file needs one called {path.stem}.* in "
                    f"{reference_folder}. Add it, or take {path.name} away."
                )
        named = re.search(r"(?:qf|q)_?(\d{1,3})$", each.name.lower())
        quality_factor = int(named[1]) if named and 1 <= int(named[1]) <= 100 else None
        pairs = [(path, references[path.stem.lower()]) for path in paths]
        conditions.append(Condition(each.name, quality_factor, None, _paired_cases(pairs), subsampling=None))
    return conditions


def never_compressed(folder: Path, *, limit: int | None = None) -> Callable[[], Iterator[Case]]:
    """Pictures that were never compressed, opened the way the studio opens a file, each its own original.

    Args:
        folder: lossless pictures.
        limit: only the first so many by name.

    Returns:
        Makes the pictures anew, one by one. Making them raises InvalidSetting where one is a JPEG.

    Raises:
        InvalidSetting: no such folder, or no picture in it.
    """
    paths = _pictures_in(folder, limit)

    def cases() -> Iterator[Case]:
        for path in paths:
            image = _read(path)
            if image.saved_as_jpeg:
                raise InvalidSetting(
                    f"{path.name} in {folder} is a JPEG. Pictures that were never compressed are needed, such as "
                    "PNG files of originals. Leave --uncompressed out, or use another folder."
                )
            yield Case(path.name, image, image.pixels)

    return cases


def kind_of(picture: str) -> str:
    """The kind that the name of a file tells: "chart" of chart-3.png."""
    return re.sub(r"-\d+$", "", Path(picture).stem)


def comparable(pixels: RgbImage, image: JpegImage, color: str) -> Picture:
    """What of a picture is compared.

    Args:
        pixels: (rows, columns, 3) uint8, a restoration of the image or its original.
        image: says whether the file is gray.
        color: "rgb" and "gray" compare what the file holds, "y" its full-range luma.

    Returns:
        (rows, columns, 3) uint8 for "rgb"; else, and for gray files, (rows, columns).
    """
    if image.is_gray:
        return pixels[..., 0]
    return luma(pixels) if color == "y" else pixels


def _saves(*encodings: Save) -> Break:
    return partial(degrade, degradation=Degradation(encodings))


def _save_with(pixels: RgbImage, *, gray: bool, tables: TableSet) -> Degraded:
    reference = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
    return Degraded(encode_with(pixels, tables, gray=gray), reference)


def _degraded_cases(paths: list[Path], break_: Break, gray: bool) -> Callable[[], Iterator[Case]]:
    def cases() -> Iterator[Case]:
        for path in paths:
            original = _read(path)
            pixels, is_gray = original.pixels, original.is_gray
            if gray and not is_gray:
                pixels, is_gray = np.rint(luma(pixels)).astype(np.uint8), True
            degraded = break_(pixels, gray=is_gray)
            yield Case(path.name, degraded.image, degraded.reference)

    return cases


def _paired_cases(pairs: list[tuple[Path, Path]]) -> Callable[[], Iterator[Case]]:
    def cases() -> Iterator[Case]:
        for path, reference_path in pairs:
            image, reference = _read(path), _read(reference_path).pixels
            if image.pixels.shape != reference.shape:
                shapes = (image.pixels.shape, reference.shape)
                sizes = " and ".join(f"{columns} x {rows}" for rows, columns, _ in shapes)
                raise InvalidSetting(
                    f"{path.name} and its original {reference_path.name} measure {sizes} pixels. Both must "
                    "be of one size. Put the right original there."
                )
            yield Case(path.name, image, reference)

    return cases


def _read(path: Path) -> JpegImage:
    try:
        return read(read_at_most(path, MAX_BYTES))
    except RestorationError as problem:
        raise type(problem)(f"{path}: {problem}") from problem


def _pictures(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def _pictures_in(folder: Path, limit: int | None) -> list[Path]:
    _check_folder(folder)
    paths = sorted(_pictures(folder))
    if not paths:
        raise InvalidSetting(
            f"There is no picture in {folder}. Files ending in {', '.join(SUFFIXES)} are read. "
            "Name a folder that holds some."
        )
    return paths[:limit]


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InvalidSetting(
            f"There is no folder {folder}. A folder of pictures is needed. Check the path for a typing error."
        )


def conditions_of(folder: Path, protocol: Protocol, *, gray: bool, limit: int | None) -> list[Condition]:
    """The conditions of a protocol on a folder's pictures; see recompressed()."""
    return recompressed(
        folder,
        quality_factors=protocol.quality_factors,
        quality_factors_444=protocol.quality_factors_444,
        tables=protocol.tables,
        doubles=protocol.doubles,
        gray=gray,
        limit=limit,
    )


@dataclass(frozen=True)
class ValidationCase:
    """One way of breaking the validation pictures; `name` appears in events."""

    name: str
    degradation: Degradation


VALIDATION_CASES = (
    ValidationCase("qf10", Degradation((Save(10),))),
    ValidationCase("qf20", Degradation((Save(20),))),
    ValidationCase("qf40", Degradation((Save(40),))),
    ValidationCase("qf80", Degradation((Save(80),))),
    ValidationCase("double_10_30", Degradation((Save(10), Save(30, grid_shift=(4, 4))))),
)
