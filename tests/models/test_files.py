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


def test_windows_is_given_time_where_another_program_has_the_file_open(tmp_path, monkeypatch):
    path, renamed = tmp_path / "a.png", os.replace
    path.write_bytes(b"before")
    refusals = [PermissionError(13, "Permission denied")] * 2

    def held(source, target):
        if refusals:
            raise refusals.pop()
        renamed(source, target)

    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr("os.replace", held)
    write_whole(b"after", path)
    assert path.read_bytes() == b"after" and not refusals
    refusals += [PermissionError(13, "Permission denied")] * 99
    with pytest.raises(PermissionError):
        write_whole(b"never", path)
    assert path.read_bytes() == b"after" and [each.name for each in tmp_path.iterdir()] == ["a.png"]


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
