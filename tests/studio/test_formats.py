"""Every kind of file comes in by every way, whatever its name's ending, and every sentence names the same kinds."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.errors import InvalidSetting, RestorationError, UnsupportedImage
from models.jpeg import read
from models.jpeg.formats import FORMATS, NAMES, SUFFIXES, TRAINING_FORMATS, FileFormat, format_of, suffixes_of
from models.jpeg.probe import probe
from studio.api.api import Api
from studio.batch.files import found_pictures, photograph_at
from studio.interface import build_studio
from studio.restore.__main__ import main
from studio.restore.handlers import NO_PHOTOGRAPH
from studio.server.files import PictureFolder
from studio.session.uploads import Uploads
from tests.paths import REPOSITORY
from training.evaluation.benchmarks import recompressed
from training.pictures import load_photographs, picture_paths

NAMED = [
    (known, spelled) for known in FORMATS for suffix in known.suffixes for spelled in (suffix, suffix.upper())
]
EVERY_NAME = pytest.mark.parametrize(
    ("known", "suffix"), NAMED, ids=lambda value: getattr(value, "name", value)
)


def sample(known: FileFormat, mode: str = "RGB") -> bytes:
    """A picture of 96 x 80 pixels."""
    ramp = np.add.outer(np.arange(80), np.arange(96)).astype(np.uint8)
    picture = Image.fromarray(np.dstack([ramp, 255 - ramp, ramp // 2]))
    file = BytesIO()
    (Image.fromarray(ramp.astype(np.uint16) * 257) if mode == "I;16" else picture.convert(mode)).save(
        file, known.name
    )
    return file.getvalue()


@pytest.fixture
def picture(known: FileFormat, suffix: str, tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / f"picture{suffix}").write_bytes(sample(known))
    return folder / f"picture{suffix}"


@EVERY_NAME
def test_page_and_programs_open_it(known, suffix, picture, engine):
    pictures = PictureFolder(picture.parent, 600)
    uploads = Uploads(pictures, read)
    photograph = uploads.open(str(picture), picture.name)
    assert (photograph.name, photograph.image.format) == ("picture", known.name)
    facts = Api(engine, uploads.open, pictures).inspect({"path": str(picture), "orig_name": picture.name})
    assert (facts["format"], facts["rows"], facts["columns"]) == (known.name, 80, 96)


@EVERY_NAME
def test_batches_training_and_benchmarks_take_it_out_of_their_folders(known, suffix, picture, tmp_path):
    (picture.parent / "notes.txt").write_text("no picture")
    found = found_pictures([str(picture.parent)], tmp_path / "out")
    assert [entry.source for entry in found.pictures] == [picture]
    assert photograph_at(picture).image.format == known.name
    photographs = load_photographs([str(picture.parent)], tmp_path, smallest=64)
    assert photographs.names == ("picture",) and photographs.images[0].shape == (80, 96, 3)
    (condition,) = recompressed(picture.parent, quality_factors=[50])
    assert [case.image.pixels.shape for case in condition.cases()] == [(80, 96, 3)]


def test_the_command_restores_a_folder_of_every_kind(checkpoints, tmp_path):
    for number, (known, suffix) in enumerate(NAMED):
        (tmp_path / f"{number}{suffix}").write_bytes(sample(known))
    words = [
        str(tmp_path),
        "-o",
        str(tmp_path / "out"),
        "--model",
        "plain",
        "--checkpoints",
        str(checkpoints),
    ]
    assert main([*words, "--device", "cpu", "--quiet"]) == 0
    assert len(list((tmp_path / "out").iterdir())) == len(NAMED)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.name)
def test_it_is_read_in_the_modes_it_names(known):
    made = 0
    for mode in known.modes:
        try:
            data = sample(known, mode)
            Image.open(BytesIO(data)).load()
        except (OSError, ValueError, KeyError):  # Pillow does not write every mode that it reads
            continue
        made += 1
        image = read(data)
        assert (image.format, image.pixels.shape) == (known.name, (80, 96, 3)), mode
    assert made >= 2


def test_the_page_offers_every_suffix(zoo):
    values = [
        getattr(block, "value", None)
        for block in build_studio(zoo).blocks.values()
        if getattr(block, "elem_id", None) == "photograph"
    ]
    assert [value["accept"].split(",") for value in values if value] == [["image/*", *SUFFIXES]]


def test_all_sentences_name_the_same_kinds(tmp_path):
    assert NAMES == "JPEG, PNG, WebP, TIFF, BMP and GIF"
    assert NAMES in NO_PHOTOGRAPH
    for data in (b"", b"%PDF-1.7", b"nothing known"):
        with pytest.raises(RestorationError, match=f"{NAMES} pictures are supported"):
            probe(data)
    found = found_pictures([str(tmp_path)], tmp_path / "out")
    assert ", ".join(sorted(SUFFIXES)) in found.problems[0][1]
    with pytest.raises(InvalidSetting, match=", ".join(SUFFIXES)):
        recompressed(tmp_path, quality_factors=[50])
    with pytest.raises(InvalidSetting, match=", ".join(suffixes_of(TRAINING_FORMATS))):
        picture_paths(tmp_path)


def test_suffixes_and_signatures_tell_the_formats_apart():
    assert len(set(suffixes_of(TRAINING_FORMATS))) == len(suffixes_of(TRAINING_FORMATS))
    assert all(format_of(sample(known)) is known for known in FORMATS)
    assert format_of(b"RIFF    WAVE") is None and format_of(b"") is None
    with pytest.raises(UnsupportedImage, match="AVIF"):  # a training photograph, but no stranger's picture
        probe(sample(TRAINING_FORMATS[-1]))


def test_a_new_format_is_one_entry():
    """The list's own file with a line more, in a process of its own: everything else is as it stands here."""
    entry = '    FileFormat("PPM", (".ppm", ".pnm"), rb"P6\\s", ("RGB",), "Netpbm"),\n)\nTRAINING_FORMATS'
    code = f"""
import importlib.util, pathlib, sys, tempfile
source = pathlib.Path("models/jpeg/formats.py").read_text("utf-8")
assert source.count("\\n)\\nTRAINING_FORMATS") == 1
source = source.replace("\\n)\\nTRAINING_FORMATS", "\\n" + {entry!r})
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("models.jpeg.formats", None))
sys.modules["models.jpeg.formats"] = module
exec(compile(source, "formats.py", "exec"), module.__dict__)
from models.jpeg import probe, read
from models.errors import UnreadableImage
from studio.batch.files import found_pictures
from studio.restore.handlers import NO_PHOTOGRAPH
from studio.restore.tab import ACCEPTED
from training.evaluation.benchmarks import recompressed
from training.pictures import load_photographs
data = b"P6 96 80 255\\n" + bytes(range(240)) * 96
assert (read(data).format, probe(data).rows, read(data).pixels[0, 0, 2]) == ("PPM", 80, 2)
try:
    probe(data[:5])
except UnreadableImage as error:
    assert str(error).startswith("This PPM file is damaged")
else:
    raise AssertionError("a cut header was taken")
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "new.PPM").write_bytes(data)
assert len(found_pictures([str(folder)], folder / "out").pictures) == 1
assert load_photographs([str(folder)], folder, smallest=64).names == ("new",)
assert len(list(recompressed(folder, quality_factors=[50])[0].cases())) == 1
assert "GIF and Netpbm can be opened" in NO_PHOTOGRAPH
assert ACCEPTED.endswith(".gif,.ppm,.pnm")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
