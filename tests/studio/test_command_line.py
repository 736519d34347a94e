"""The command line gives exactly what the models give, or one sentence."""

import numpy as np
import pytest
from PIL import Image

from models.jpeg import Save, encode, read
from models.restorer import RestoreOptions
from studio.restore.__main__ import main


@pytest.fixture
def jpeg(photograph, tmp_path):
    path = tmp_path / "in.jpg"
    path.write_bytes(encode(photograph.image.pixels, Save(15)).data)
    return path


@pytest.mark.parametrize("options", [[], ["--quality-factor", "40"], ["--blind"], ["--stages", "1"]])
def test_the_written_png_is_what_the_restorer_gives(zoo, checkpoints, jpeg, tmp_path, options, capsys):
    out = tmp_path / "out.png"
    where = ["--checkpoints", str(checkpoints), "--device", "cpu", "--model", "cascade"]
    assert main([str(jpeg), "-o", str(out), *where, *options]) == 0
    meaning = {
        "--quality-factor": RestoreOptions("manual", 40),
        "--blind": RestoreOptions("pixels"),
        "--stages": RestoreOptions(stages=1),
    }
    expected = zoo.load("cascade").restore(
        read(jpeg.read_bytes()), meaning[options[0]] if options else RestoreOptions()
    )
    np.testing.assert_array_equal(np.array(Image.open(out)), expected.pixels)
    assert "15, exact" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.jpg", "-o", "out.png"],
        ["{jpeg}", "-o", "out.jpg"],
        ["{jpeg}", "-o", "no/such/folder/out.png"],
        ["{jpeg}", "-o", "out.png", "--model", "nobody"],
        ["{jpeg}", "-o", "out.png", "--quality-factor", "0"],
        ["{jpeg}", "-o", "out.png", "--stages", "0"],
        ["{jpeg}", "-o", "out.png", "--device", "toaster"],
    ],
)
def test_mistakes_are_one_sentence(jpeg, tmp_path, monkeypatch, arguments, capsys):
    monkeypatch.chdir(tmp_path)
    filled = [argument.format(jpeg=jpeg) for argument in arguments]
    assert main([*filled, *([] if "--model" in filled else ["--model", "plain"])]) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert told.strip().endswith(".")
