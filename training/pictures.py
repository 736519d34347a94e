"""Clean pictures: photographs found in folders, checked, and read into memory or, where they are too many, when needed;
others drawn by the program, so that networks also meet text, line art and flat colour.
"""

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.errors import InvalidSetting
from models.images import RgbImage
from models.jpeg.formats import TRAINING_FORMATS, suffixes_of
from training.failures import GivenUp, RunStopped

PICTURE_SUFFIXES = suffixes_of(TRAINING_FORMATS)
EIGHT_BIT_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
SKIMAGE = "skimage"
SKIMAGE_TRAIN = ("astronaut", "coffee", "immunohistochemistry")
SKIMAGE_VALIDATION = ("chelsea", "camera", "stereo_motorcycle")
"""Photographs inside the scikit-image package that were never saved as JPEG."""

SMALLEST_VALIDATION_SIDE = 48
LARGEST_IN_MEMORY_BYTES = 4 * 2**30
"""Decoded photographs of one run that are kept in memory; more are read from disk patch by patch."""

MOST_NAMED = 5
"""Photographs that a sentence names before it only counts."""


@dataclass(frozen=True, eq=False)
class Photographs:
    """What one or more folders hold.

    Attributes:
        names: of the files, without their endings.
        images: (rows, columns, 3) uint8 each, or a PictureFile that is read when it is cut.
        problems: sentences about files that were left out.
        folders: of each picture, the number of the folder it came from.
    """

    names: tuple[str, ...]
    images: tuple["RgbImage | PictureFile", ...]
    problems: tuple[str, ...] = ()
    folders: tuple[int, ...] = ()


@dataclass(frozen=True)
class PictureFile:
    """A picture that stays on disk; cutting it with slices reads it.

    Attributes:
        path: the file.
        shape: rows, columns, 3.
    """

    path: Path
    shape: tuple[int, int, int]

    def __getitem__(self, window: tuple[slice, slice]) -> RgbImage:
        try:
            return read_picture(self.path)[window]
        except Exception as error:  # Pillow raises many kinds of exceptions for damaged files
            raise RunStopped(
                f"{self.path} cannot be read ({_short(error)}). Training photographs must be whole and stay in place. "
                "Check the folder with python -m training.prepare, and resume the run."
            ) from error


def smallest_side(patch_size: int) -> int:
    """Rows and columns a picture must have for patches of a size: a shift of the block grid takes up to 8."""
    return patch_size + 8


def read_picture(path: Path) -> RgbImage:
    """A whole picture, (rows, columns, 3) uint8."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def picture_paths(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted by name.

    Raises:
        InvalidSetting: when the folder is missing, cannot be listed, or holds none.
    """
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES)
    except OSError as error:
        raise InvalidSetting(
            f"The folder {folder} cannot be read ({error.strerror}). A folder with {', '.join(PICTURE_SUFFIXES)} "
            "files is needed. Name one in the configuration, or give the folder above it with --data."
        ) from error
    if not found:
        raise InvalidSetting(
            f"There are no pictures in {folder}. A folder with {', '.join(PICTURE_SUFFIXES)} files is needed. "
            "Name one in the configuration, or give the folder above it with --data."
        )
    return found


def folder_of(entry: str, data_root: Path) -> Path:
    """The folder that a configuration means.

    Args:
        entry: a name below data_root, or a whole path.
        data_root: where names are looked for.

    Raises:
        InvalidSetting: a name that leads out of data_root.
    """
    if Path(entry).is_absolute():
        return Path(entry)
    if not entry or os.path.normpath(entry).split(os.sep)[0] == "..":
        raise InvalidSetting(
            f"The picture folder {entry!r} leads out of {data_root}. A name below it, a whole path or skimage is "
            "allowed. Write the whole path, such as /home/me/photographs."
        )
    return data_root / entry


Between = Callable[[int, int], bool]
"""Called before every picture with how many of how many are done; True gives the rest up."""


def go_on(_done: int, _of: int) -> bool:
    """Give nothing up."""
    return False


def load_photographs(
    folders: Sequence[str],
    data_root: Path,
    *,
    smallest: int,
    validation: bool = False,
    between: Between = go_on,
) -> Photographs:
    """Find and check clean pictures, and read them into memory if they fit.

    Args:
        folders: names below data_root, whole paths, or "skimage" for the photographs inside scikit-image.
        data_root: where names are looked for.
        smallest: rows and columns below which a picture is of no use.
        validation: of "skimage", those kept apart for validation.
        between: called while they are checked and read.

    Returns:
        What can be used, and sentences about what cannot.

    Raises:
        InvalidSetting: a folder without pictures, or no picture that can be used.
        GivenUp: `between` asked for it.
    """
    found, origins, damaged = _found(folders, data_root, validation, between)
    small, kept, kept_from = [], [], []
    in_memory = sum(math.prod(image.shape) for _, image in found) <= LARGEST_IN_MEMORY_BYTES
    for done, ((name, image), origin) in enumerate(zip(found, origins, strict=True)):
        if between(done, len(found)):
            raise GivenUp
        if min(image.shape[:2]) < smallest:
            small.append(f"{name} ({image.shape[0]} x {image.shape[1]})")
            continue
        picture = image
        if in_memory and isinstance(image, PictureFile):
            try:
                picture = read_picture(image.path)
            except Exception as error:  # as above: the header was sound, the rest is not
                damaged.append(f"{image.path.name} ({_short(error)})")
                continue
        kept.append((name, picture))
        kept_from.append(origin)
    problems = _problems(damaged, small, smallest)
    if not kept:
        raise InvalidSetting(
            f"No picture in {', '.join(folders)} can be used. {' '.join(problems)} Pictures of at least "
            f"{smallest} x {smallest} pixels are needed. Name another folder, or use smaller patches."
        )
    names, images = (tuple(part) for part in zip(*kept, strict=True))
    return Photographs(names, images, problems, tuple(kept_from))


def _found(
    folders: Sequence[str], data_root: Path, validation: bool, between: Between
) -> tuple[list[tuple[str, "RgbImage | PictureFile"]], list[int], list[str]]:
    """Names and pictures, the number of each one's folder, and what cannot be read; see load_photographs."""
    listed = [[] if folder == SKIMAGE else picture_paths(folder_of(folder, data_root)) for folder in folders]
    of, found, origins, damaged = sum(map(len, listed)), [], [], []
    for number, (folder, paths) in enumerate(zip(folders, listed, strict=True)):
        if folder == SKIMAGE:
            found += _of_skimage(validation)
            origins += [number] * (len(found) - len(origins))
        for path in paths:
            if between(len(found), of):
                raise GivenUp
            try:
                found.append((path.stem, _checked(path)))
                origins.append(number)
            except Exception as error:  # Pillow raises many kinds of exceptions for damaged files
                damaged.append(f"{path.name} ({_short(error)})")
    return found, origins, damaged


def _problems(damaged: list[str], small: list[str], smallest: int) -> tuple[str, ...]:
    problems = []
    if damaged:
        problems.append(f"{_listed(damaged)} cannot be read and {_are(damaged)} left out.")
    if small:
        needed = f"{smallest} x {smallest} pixels"
        problems.append(f"{_listed(small)} {_are(small)} smaller than {needed} and left out.")
    return tuple(problems)


def _of_skimage(validation: bool) -> list[tuple[str, RgbImage]]:
    import skimage.data

    found = []
    for name in SKIMAGE_VALIDATION if validation else SKIMAGE_TRAIN:
        pixels = getattr(skimage.data, name)()
        pixels = pixels[0] if isinstance(pixels, tuple) else pixels  # the left one of a stereo pair
        pixels = pixels[..., :3] if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        found.append((name, np.ascontiguousarray(pixels)))
    return found


def _checked(path: Path) -> PictureFile:
    """A file that calls itself a picture of 8 bits per channel."""
    with Image.open(path) as picture:
        if picture.mode not in EIGHT_BIT_MODES:
            raise ValueError(f"{picture.mode} pixels, not 8 bits per channel")
        return PictureFile(path, (picture.height, picture.width, 3))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:80] if str(error) else type(error).__name__


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?()+-=%&"


def draw_picture(rng: np.random.Generator, side: int = 512) -> RgbImage:
    """One picture of shapes and lines of text on a flat or shaded ground: (side, side, 3) uint8."""
    low, high = _color(rng), _color(rng)
    if rng.random() < 0.5:
        ramp = np.linspace(0, 1, side)[:, None, None]
        ground = (np.array(low) * (1 - ramp) + np.array(high) * ramp).repeat(side, 1)
        if rng.random() < 0.5:
            ground = ground.transpose(1, 0, 2)
    else:
        ground = np.full((side, side, 3), low if rng.random() < 0.5 else (255, 255, 255))
    picture = Image.fromarray(np.ascontiguousarray(ground).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(4, 24))):
        _draw_shape(pen, rng, side)
    row = int(rng.integers(0, 40))
    while row < side:
        size = int(rng.integers(9, 40))
        text = "".join(rng.choice(list(_LETTERS + "      "), int(rng.integers(8, 70))))
        pen.text((int(rng.integers(-20, side // 3)), row), text, _color(rng), ImageFont.load_default(size))
        row += int(size * rng.uniform(1.1, 3))
    return np.asarray(picture)


def _color(rng: np.random.Generator) -> tuple[int, int, int]:
    if rng.random() < 0.4:
        gray = int(rng.choice([0, 20, 40, 220, 255]))
        return gray, gray, gray
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def _draw_shape(pen: ImageDraw.ImageDraw, rng: np.random.Generator, side: int) -> None:
    left, top = (int(value) for value in rng.integers(-40, side, 2))
    width, height = (int(value) for value in rng.integers(4, side // 2, 2))
    box = (left, top, left + width, top + height)
    kind = rng.integers(0, 4)
    if kind == 0:
        pen.rectangle(box, fill=_color(rng))
    elif kind == 1:
        pen.ellipse(box, fill=_color(rng))
    elif kind == 2:
        pen.line(box, fill=_color(rng), width=int(rng.integers(1, 6)))
    else:
        pen.rectangle(box, outline=_color(rng), width=int(rng.integers(1, 5)))
