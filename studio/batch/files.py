"""Which pictures a batch is about, what their results are called, and which reference belongs to each. No page code."""

import errno
import glob
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.bounded_reading import read_at_most
from models.errors import ImageTooLarge, InvalidSetting, UnreadableImage
from models.jpeg.limits import MAX_BYTES
from studio.session import Photograph, open_photograph

PICTURE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")
)
"""What is taken out of folders and patterns; a file that is named itself may be called anything."""


@dataclass(frozen=True)
class BatchPicture:
    """One file of a batch.

    Attributes:
        source: the file.
        stem: what its results are called below the output folder, without model and suffix, such as "day 1/beach".
        reference: the clean picture it is compared with, whether or not it is there; None compares nothing.
        result: what its one result is called, where people gave it a name; None takes stem and model.
    """

    source: Path
    stem: str
    reference: Path | None = None
    result: str | None = None

    def result_name(self, model_name: str) -> str:
        """The result of one model, below the output folder."""
        return self.result or f"{self.stem}_{model_name}.png"


@dataclass(frozen=True)
class FoundPictures:
    """What the words on a command line led to.

    Attributes:
        pictures: each file once, sorted by stem; no two of them share one.
        problems: (word, sentence) for every word that led to nothing.
    """

    pictures: tuple[BatchPicture, ...]
    problems: tuple[tuple[str, str], ...]


def found_pictures(words: Sequence[str], output: Path, references: Path | None = None) -> FoundPictures:
    """Follow files, folders and patterns.

    Args:
        words: as people type them; folders are walked, and "**" in a pattern stands for any folders.
        output: where results will go; what lies below is no input.
        references: folder of clean pictures, matched by name and place, whatever their suffix.

    Raises:
        InvalidSetting: the output is one of the folders to be read, or there is no folder of references.
    """
    output = output.resolve()
    found: dict[Path, BatchPicture] = {}
    problems = []
    for word in words:
        if Path(word).is_dir() and Path(word).resolve() == output:
            raise InvalidSetting(
                f"The results would go into {word}, the folder the pictures come from. They need a folder of their "
                f"own, or the next run would take them for photographs. Choose another, such as {word}/restored."
            )
        files = list(_files_of(word, output))
        for base, path in files:
            found.setdefault(path.resolve(), BatchPicture(path, _stem(base, path)))
        if not files:
            problems.append((word, _leads_nowhere(word)))
    pictures = _told_apart(sorted(found.values(), key=lambda picture: picture.stem))
    if references is not None:
        pictures = _with_references(pictures, references)
    return FoundPictures(tuple(pictures), tuple(problems))


def photograph_at(path: Path) -> Photograph:
    """Open a file.

    Raises:
        RestorationError: with a sentence for people.
    """
    return open_photograph(bytes_at(path), path.name)


def bytes_at(path: Path) -> bytes:
    """A file's bytes; no more of a file are read than a picture may have.

    Raises:
        ImageTooLarge, UnreadableImage: with a sentence for people.
    """
    try:
        return read_at_most(path, MAX_BYTES)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ImageTooLarge(
                f"{path} cannot be opened: {error.strerror}. Files up to {MAX_BYTES // 2**20} MB are allowed. "
                "Make the picture smaller, or save it as JPEG or PNG."
            ) from error
        raise UnreadableImage(
            f"{path} cannot be read: {error.strerror}. Any file this user may read is allowed. Check the path."
        ) from error


def cannot_be_written(path: Path, error: OSError) -> InvalidSetting:
    """What people are told where a result finds no place."""
    return InvalidSetting(
        f"{path} cannot be written: {error.strerror or error}. The folder must exist and be writable. "
        "Choose another place."
    )


def _files_of(word: str, output: Path) -> Iterator[tuple[Path, Path]]:
    """(folder that names are relative to, file) of one word."""
    path = Path(word)
    if path.is_file():
        yield path.parent, path
    elif path.is_dir():
        yield from ((path, each) for each in _walk(path, output))
    elif glob.has_magic(word):
        fixed = list(path.parts[: next(i for i, part in enumerate(path.parts) if glob.has_magic(part))])
        base = Path(*fixed) if fixed else Path()
        for match in sorted(glob.glob(word, recursive=True)):
            if Path(match).is_dir() and "**" not in word:  # "**" walks folders itself
                yield from ((base, each) for each in _walk(Path(match), output))
            elif _is_picture(Path(match), output):
                yield base, Path(match)


def _walk(folder: Path, output: Path | None) -> Iterator[Path]:
    """Pictures at any depth; hidden ones and results are left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and _is_picture(Path(place, name), output):
                yield Path(place, name)


def _is_picture(path: Path, output: Path | None) -> bool:
    if path.suffix.lower() not in PICTURE_SUFFIXES or not path.is_file():
        return False
    return output is None or not path.resolve().is_relative_to(output)


def _stem(base: Path, path: Path) -> str:
    relative = path.relative_to(base) if path.is_relative_to(base) else Path(path.name)
    return relative.with_suffix("").as_posix() if relative.suffix else relative.as_posix()


def _told_apart(pictures: list[BatchPicture]) -> list[BatchPicture]:
    """Pictures whose results would bear one name, also where case does not count, get part of a hash of their path."""
    taken = Counter(picture.stem.lower() for picture in pictures)
    return [
        replace(picture, stem=f"{picture.stem}-{_digits(picture.source)}")
        if taken[picture.stem.lower()] > 1
        else picture
        for picture in pictures
    ]


def _digits(path: Path) -> str:
    return hashlib.sha256(path.as_posix().encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _with_references(pictures: list[BatchPicture], folder: Path) -> list[BatchPicture]:
    if not folder.is_dir():
        raise InvalidSetting(
            f"There is no folder {folder} of references. A folder with clean pictures is needed, called like those to "
            "be restored. Check the path, or leave --reference out."
        )
    by_stem: dict[str, Path] = {}
    for path in _walk(folder, None):
        by_stem.setdefault(_stem(folder, path), path)

    def reference_of(picture: BatchPicture) -> Path:
        stem = picture.source.stem
        beside = (Path(picture.stem).parent / stem).as_posix()
        return by_stem.get(beside) or by_stem.get(stem) or folder / picture.source.name

    return [replace(picture, reference=reference_of(picture)) for picture in pictures]


def _leads_nowhere(word: str) -> str:
    if Path(word).is_dir():
        what = "holds no pictures outside the results"
    elif glob.has_magic(word):
        what = "fits no picture"
    else:
        what = "does not exist"
    suffixes = ", ".join(sorted(PICTURE_SUFFIXES))
    return f"{word} {what}. Files, folders and patterns of pictures ({suffixes}) are taken. Check the path."
