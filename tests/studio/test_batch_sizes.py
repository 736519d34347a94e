"""Files of a batch are opened only up to the size that a picture may have."""

import pytest

from models.errors import ImageTooLarge
from studio.batch.files import bytes_at
from studio.restore.__main__ import main


def test_a_huge_file_is_one_sentence_and_the_others_are_restored(tmp_path, capsys, checkpoints, photograph):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(photograph.image.data)
    with (tmp_path / "in" / "b.jpg").open("wb") as file:
        file.truncate(2**41)
    with pytest.raises(ImageTooLarge, match="100 MB"):
        bytes_at(tmp_path / "in" / "b.jpg")
    options = [
        "-o",
        str(tmp_path / "out"),
        "--model",
        "plain",
        "--checkpoints",
        str(checkpoints),
        "--device",
        "cpu",
    ]
    assert main([str(tmp_path / "in"), *options]) == 1
    assert (tmp_path / "out" / "a_plain.png").is_file()
    told = capsys.readouterr().err
    assert "b.jpg" in told and "2,199,023,255,552 bytes" in told and "nobody foresaw" not in told
