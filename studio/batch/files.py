"""Which pictures a batch is about, what their results are called, and which reference belongs to each. No page code."""

import errno
import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.bounded_reading import read_at_most
from models.errors import ImageTooLarge, InvalidSetting, UnreadableImage
from models.files import begins_with, file_identity
from models.jpeg.formats import SUFFIXES
from models.jpeg.limits import MAX_BYTES
from studio.session.visitor import Photograph, open_photograph

NAMES_TOLD = 3
"""Of every kind of file that is passed over."""


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
        passed_over: files of folders and patterns that are no pictures of a supported kind, each once.
    """

    pictures: tuple[BatchPicture, ...]
    problems: tuple[tuple[str, str], ...]
    passed_over: tuple[Path, ...] = ()


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
    problems, passed_over = [], []
    for word in words:
        if Path(word).is_dir() and Path(word).resolve() == output:
            raise InvalidSetting(
                f"The results would go into {word}, the folder the pictures come from. They need a folder of their "
                f"own, or the next run would take them for photographs. Choose another, such as {word}/restored."
            )
        files = list(_files_of(word, output, passed_over))
        for base, path in files:
            found.setdefault(path.resolve(), BatchPicture(path, _stem(base, path)))
        if not files:
            problems.append((word, _leads_nowhere(word)))
    pictures = _told_apart(sorted(found.values(), key=lambda picture: picture.stem))
    if references is not None:
        pictures = _with_references(pictures, references)
    named = {path for path in passed_over if path.resolve() not in found}
    return FoundPictures(tuple(pictures), tuple(problems), tuple(sorted(named)))


def passed_over_words(paths: Sequence[Path]) -> str:
    """How many files of a folder were not taken, by suffix, with the first names; "" for none."""
    if not paths:
        return ""
    kinds: dict[str, list[str]] = {}
    for path in paths:
        kinds.setdefault(path.suffix.lower() or "without a suffix", []).append(path.name)
    parts = []
    for kind, names in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0])):
        more = ", ..." if len(names) > NAMES_TOLD else ""
        parts.append(f"{len(names)} {kind} ({', '.join(names[:NAMES_TOLD])}{more})")
    count = f"{len(paths)} file{'s' if len(paths) != 1 else ''}"
    return f"{count} passed over, not supported: {', '.join(parts)}"


def inputs_of(pictures: Iterable[BatchPicture]) -> list[Path]:
    """Every file that is read: pictures and their references."""
    pictures = list(pictures)
    references = [picture.reference for picture in pictures if picture.reference is not None]
    return [picture.source for picture in pictures] + references


def spare_inputs(found: FoundPictures, model_names: Sequence[str], output: Path) -> FoundPictures:
    """Leave out pictures whose result would replace a file that is read, or another picture's result."""
    inputs = {identity for path in inputs_of(found.pictures) if (identity := file_identity(path))}
    kept, problems, taken = [], list(found.problems), set()
    for picture in found.pictures:
        results = [output / picture.result_name(name) for name in model_names]
        names = {os.path.normcase(path).lower() for path in results}
        lost = next((path for path in results if file_identity(path) in inputs), None)
        if lost is not None or names & taken:
            clash = (
                f"{lost}, which this command reads" if lost else f"a result of another picture, {results[0]}"
            )
            problems.append(
                (
                    str(picture.source),
                    f"The result of {picture.source} would replace {clash}. Every result needs a place of its own. "
                    "Choose another output folder, or restore this picture by itself.",
                )
            )
        else:
            kept.append(picture)
            taken |= names
    return replace(found, pictures=tuple(kept), problems=tuple(problems))


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


def _files_of(word: str, output: Path, passed_over: list[Path]) -> Iterator[tuple[Path, Path]]:
    """(folder that names are relative to, file) of one word; what it leads to besides goes to the list."""
    path = Path(word)
    if path.is_file():
        yield path.parent, path
    elif path.is_dir():
        yield from ((path, each) for each in _walk(path, output, passed_over))
    elif glob.has_magic(word):
        fixed = list(path.parts[: next(i for i, part in enumerate(path.parts) if glob.has_magic(part))])
        base = Path(*fixed) if fixed else Path()
        for match in sorted(glob.glob(word, recursive=True)):
            if Path(match).is_dir() and "**" not in word:  # "**" walks folders itself
                yield from ((base, each) for each in _walk(Path(match), output, passed_over))
            elif _is_picture(Path(match), output, passed_over):
                yield base, Path(match)


def _walk(folder: Path, output: Path | None, passed_over: list[Path]) -> Iterator[Path]:
    """Pictures at any depth; hidden ones and results are left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and _is_picture(Path(place, name), output, passed_over):
                yield Path(place, name)


def _is_picture(path: Path, output: Path | None, passed_over: list[Path]) -> bool:
    if not path.is_file() or (output is not None and path.resolve().is_relative_to(output)):
        return False
    # A file that is named itself may be called anything, and a JPEG of a folder, too.
    if path.suffix.lower() in SUFFIXES or begins_with(path, b"\xff\xd8"):
        return True
    passed_over.append(path)
    return False


def _stem(base: Path, path: Path) -> str:
    relative = path.relative_to(base) if path.is_relative_to(base) else Path(path.name)
    return relative.with_suffix("").as_posix() if relative.suffix else relative.as_posix()


def _told_apart(pictures: list[BatchPicture]) -> list[BatchPicture]:
    """Give results that would bear one name, also where case does not count, longer ones; typing plays no part in them.

    First the picture's own suffix is kept; where that is not enough, part of a hash of its whole path follows.
    """
    names = [
        (picture.stem, full := picture.stem + picture.source.suffix, f"{full}-{_digits(picture.source)}")
        for picture in pictures
    ]
    lengths = [0] * len(pictures)
    while True:
        chosen = [options[length] for options, length in zip(names, lengths, strict=True)]
        bearers: dict[str, list[int]] = {}
        for place, name in enumerate(chosen):
            bearers.setdefault(name.lower(), []).append(place)
        shortest = [min(lengths[place] for place in places) for places in bearers.values()]
        clashes = [
            place
            for places, length in zip(bearers.values(), shortest, strict=True)
            for place in places
            if len(places) > 1 and lengths[place] == length < 2
        ]
        if not clashes:
            return [replace(picture, stem=name) for picture, name in zip(pictures, chosen, strict=True)]
        for place in clashes:
            lengths[place] += 1


def _digits(path: Path) -> str:
    return hashlib.sha256(path.resolve().as_posix().encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _with_references(pictures: list[BatchPicture], folder: Path) -> list[BatchPicture]:
    if not folder.is_dir():
        raise InvalidSetting(
            f"There is no folder {folder} of references. A folder with clean pictures is needed, called like those to "
            "be restored. Check the path, or leave --reference out."
        )
    by_stem: dict[str, Path] = {}
    for path in _walk(folder, None, []):
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
    suffixes = ", ".join(sorted(SUFFIXES))
    return f"{word} {what}. Files, folders and patterns of pictures ({suffixes}) are taken. Check the path."
