"""Files are read up to a limit, and only where they are files."""

import os
import threading
from typing import Any

import pytest

from models.bounded_reading import read_at_most
from models.plain_values import is_number, quoted


@pytest.mark.parametrize("size", [0, 1, 999, 1000])
def test_what_fits_is_read_whole(tmp_path, size):
    path = tmp_path / "a"
    path.write_bytes(os.urandom(size))
    assert read_at_most(path, 1000) == path.read_bytes()


def test_what_does_not_fit_is_not_read(tmp_path):
    path = tmp_path / "a"
    with path.open("wb") as file:
        file.truncate(2**42)
    with pytest.raises(OSError, match="more than 1,000"):
        read_at_most(path, 1000)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OSError):
        read_at_most(tmp_path, 1000)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_pipes_and_devices_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        found = []

        def read(name=name, found=found):
            try:
                found.append(read_at_most(tmp_path / name, 1000))
            except OSError as error:
                found.append(error.strerror)

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        thread.join(10)
        assert found == ["it is no regular file"]


@pytest.mark.parametrize("value", [0, -3, 2.5, 1e14])
def test_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), 10**4000, float("nan"), float("inf"), True, "1", None, [1]]
)
def test_no_numbers(value):
    assert not is_number(value)


def test_any_value_is_quoted_briefly():
    wound: list[Any] = [1]
    wound.append(wound)
    unfolding = [1]
    for _ in range(100):
        unfolding = [unfolding] * 9
    for value in (wound, unfolding, 10**6000, "x" * 10**6, {"a" * 10**5: 1}, b"x" * 10**6):
        assert len(quoted(value)) <= 160
