"""Command line that makes a folder of photographs ready for training: checks, cuts, and says what is there.

python -m training.prepare FOLDER cuts the pictures of FOLDER (such as DIV2K_train_HR or Flickr2K) into overlapping
pieces that are quick to read at random, into FOLDER-pieces. An interrupted command goes on where it stopped.
manifest.jsonl there names every photograph, its SHA-256, its size and its pieces.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from models.command_line import begin
from models.errors import InvalidSetting, RestorationError
from models.files import remove_unfinished, write_atomically, write_text_atomically
from models.png_files import write_png
from training.failures import in_words
from training.pictures import EIGHT_BIT_MODES, picture_paths

MANIFEST = "manifest.jsonl"
PIECES = f"*{2 * '-[0-9][0-9][0-9][0-9][0-9]'}.png"
PIECE_SIDE, PIECE_DISTANCE = 480, 240
SMALLEST_SIDE = 48
"""Rows and columns below which a photograph is of no use."""


@dataclass(frozen=True)
class Cut:
    """How photographs are cut.

    Attributes:
        side: rows and columns of a piece; photographs that are smaller stay whole.
        distance: pixels from one piece to the next.
    """

    side: int = PIECE_SIDE
    distance: int = PIECE_DISTANCE


@dataclass(frozen=True)
class Entry:
    """One line of the manifest.

    Attributes:
        source: name of the photograph's file.
        sha256: of that file.
        rows, columns: of the photograph.
        side, distance: how it was cut.
        pieces: file names; empty where it was left out.
        left_out: why, or "".
    """

    source: str
    sha256: str
    rows: int
    columns: int
    side: int
    distance: int
    pieces: tuple[str, ...]
    left_out: str = ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    begin()
    parser = argparse.ArgumentParser(
        prog="python -m training.prepare",
        description=" ".join((__doc__ or "").split("\n\n")[1:2]).replace("\n", " "),
    )
    add = parser.add_argument
    add("folder", type=Path, help="holds the photographs")
    add("--to", type=Path, help="folder of the pieces (default: FOLDER-pieces)")
    add("--side", type=int, default=PIECE_SIDE, help="rows and columns of a piece (default: %(default)s)")
    add("--distance", type=int, default=PIECE_DISTANCE, help="from piece to piece (default: %(default)s)")
    add(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one per processor core)"
    )
    add(
        "--keep-jpeg",
        action="store_true",
        help="take JPEG files too, whose artifacts would count as original",
    )
    asked = parser.parse_args(arguments)
    target = asked.to or asked.folder.with_name(asked.folder.resolve().name + "-pieces")
    try:
        entries = prepare(
            asked.folder,
            target,
            cut=_checked_cut(asked.side, asked.distance),
            workers=max(asked.workers, 1),
            keep_jpeg=asked.keep_jpeg,
        )
    except (RestorationError, OSError) as error:
        print(in_words(error), file=sys.stderr)
        return 2
    for entry in entries:
        if entry.left_out:
            print(f"Left out: {entry.source}: {entry.left_out}.")
    pieces, used = sum(len(entry.pieces) for entry in entries), sum(bool(entry.pieces) for entry in entries)
    print(f"{used} of {len(entries)} photographs are ready as {pieces} pieces in {target}.")
    print(f"Train with data.train: [{target.resolve()}]")
    return 0 if used else 2


def prepare(
    folder: Path, target: Path, *, cut: Cut = Cut(), workers: int = 1, keep_jpeg: bool = False
) -> list[Entry]:
    """Check and cut every photograph of a folder that was not cut in the same way before.

    Args:
        folder: holds photographs.
        target: takes pieces and manifest; made if missing.
        cut: sizes.
        workers: processes.
        keep_jpeg: take JPEG files as well.

    Returns:
        What the manifest holds, in the order of the photographs' names.

    Raises:
        InvalidSetting: no photographs, or a target that is the folder itself or holds something else than pieces.
    """
    paths = picture_paths(folder)
    if target.resolve() == folder.resolve():
        raise InvalidSetting(
            f"The pieces would go into {folder}, beside the photographs. They need a folder of their own. "
            "Name another one with --to."
        )
    manifest = target / MANIFEST
    known = {entry.source: entry for entry in read_manifest(manifest)}
    _check_target(target, manifest, known)
    target.mkdir(parents=True, exist_ok=True)
    manifest.touch()  # from now on the folder counts as one of pieces, also after a crash
    remove_unfinished(target)
    done: dict[str, Entry] = {}
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        jobs = [pool.submit(_prepared, path, target, cut, keep_jpeg, known.get(path.name)) for path in paths]
        try:
            for job in tqdm(
                concurrent.futures.as_completed(jobs), total=len(jobs), unit="photographs", disable=None
            ):
                entry = job.result()
                done[entry.source] = entry
                if entry != known.get(entry.source):
                    with open(manifest, "a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(entry)) + "\n")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    entries = list(_without_doubles([done[path.name] for path in paths], target))
    # Of photographs that have gone, were cut in another way before, or are there twice.
    left_over = _pieces([*known.values(), *done.values()]) - _pieces(entries)
    for path in target.glob(PIECES):
        if path.name in left_over:
            path.unlink()
    text = "".join(json.dumps(asdict(entry)) + "\n" for entry in entries)
    write_text_atomically(manifest, text)
    return entries


def _pieces(entries: Iterable[Entry]) -> set[str]:
    return {name for entry in entries for name in entry.pieces}


def read_manifest(path: Path) -> Iterator[Entry]:
    """The entries of a manifest, in order; a line cut off by a crash is passed over."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(line)
            yield Entry(**{**values, "pieces": tuple(values["pieces"])})
        except (ValueError, TypeError, KeyError):
            continue


def starts(length: int, cut: Cut) -> list[int]:
    """Where the pieces of one direction begin; together they cover all of `length` pixels."""
    last = max(length - cut.side, 0)
    return [*range(0, last, cut.distance), last]


def _prepared(path: Path, target: Path, cut: Cut, keep_jpeg: bool, known: Entry | None) -> Entry:
    """The entry of one photograph, whose pieces are written unless they are there already."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if known is not None and (known.sha256, known.side, known.distance) == (digest, cut.side, cut.distance):
        still_left_out = known.left_out and not (keep_jpeg and known.left_out == JPEG)
        if still_left_out or (known.pieces and all((target / name).exists() for name in known.pieces)):
            return known
    blank = Entry(path.name, digest, 0, 0, cut.side, cut.distance, ())
    try:
        with Image.open(path) as picture:
            rows, columns = picture.height, picture.width
            sized = Entry(path.name, digest, rows, columns, cut.side, cut.distance, ())
            if picture.format == "JPEG" and not keep_jpeg:
                return _left_out(sized, JPEG)
            if picture.mode not in EIGHT_BIT_MODES:
                return _left_out(sized, f"{picture.mode} pixels, not 8 bits per channel")
            pixels = np.asarray(picture.convert("RGB"))
    except OSError as error:
        return _left_out(blank, f"it cannot be read ({str(error).splitlines()[0][:100]})")
    except (ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return _left_out(blank, f"it cannot be read ({str(error).splitlines()[0][:100]})")
    if min(rows, columns) < SMALLEST_SIDE:
        return _left_out(sized, f"{rows} x {columns} pixels are fewer than {SMALLEST_SIDE} x {SMALLEST_SIDE}")
    names = []
    for top in starts(rows, cut):
        for left in starts(columns, cut):
            name = f"{path.name.replace('.', '_')}-{top:05d}-{left:05d}.png"
            piece = np.ascontiguousarray(pixels[top : top + cut.side, left : left + cut.side])
            write_atomically(target / name, lambda part, piece=piece: write_png(piece, part))
            names.append(name)
    return Entry(path.name, digest, rows, columns, cut.side, cut.distance, tuple(names))


JPEG = "it is a JPEG file, whose artifacts would count as original; --keep-jpeg takes it all the same"


def _left_out(entry: Entry, why: str) -> Entry:
    return Entry(**{**asdict(entry), "pieces": (), "left_out": why})


def _without_doubles(entries: list[Entry], target: Path) -> Iterator[Entry]:
    """The entries; of files with the same bytes only the first keeps its pieces."""
    first: dict[str, str] = {}
    for entry in entries:
        same = first.setdefault(entry.sha256, entry.source)
        yield (
            entry
            if same == entry.source or not entry.pieces
            else _left_out(entry, f"the same file as {same}")
        )


def _check_target(target: Path, manifest: Path, known: dict[str, Entry]) -> None:
    """Refuse a folder where anything but pieces could be lost.

    Raises:
        InvalidSetting: it holds something, and no manifest says that this is of ours.
    """
    is_ours = manifest.is_file() and (known or not manifest.read_bytes().strip())
    if target.exists() and not is_ours and (not target.is_dir() or any(target.iterdir())):
        raise InvalidSetting(
            f"{target} holds something else than pieces of photographs. They need a folder of their own, so that "
            "nothing is replaced. Name a new one with --to."
        )


def _checked_cut(side: int, distance: int) -> Cut:
    if side < SMALLEST_SIDE or not 1 <= distance <= side:
        raise InvalidSetting(
            f"Pieces of {side} pixels every {distance} pixels were asked for. A side of at least {SMALLEST_SIDE} and "
            "a distance from 1 to the side are allowed. Change --side or --distance."
        )
    return Cut(side, distance)


if __name__ == "__main__":
    sys.exit(main())
