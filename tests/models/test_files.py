"""Files are written whole or not at all, beside nobody else's."""

import os

import pytest

from models.errors import InvalidSetting
from models.files import check_output, write_whole


def test_a_file_appears_whole_and_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "x.bin"
    write_whole(b"first", path)

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(b"second", path)
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


def test_folders_and_dangling_links_are_nobodys_results(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder").mkdir()
    for name in ("link", "folder"):
        with pytest.raises(InvalidSetting, match="--overwrite"):
            check_output(tmp_path / name, lambda path: True)
    check_output(tmp_path / "free", lambda path: False)


def test_devices_are_written_to(tmp_path):
    null = type(tmp_path)(os.devnull)
    check_output(null, lambda path: False)
    write_whole(b"gone", null)
    assert null.exists() and not null.is_file()
