"""What was found is found again without a look, until a file it depends on changes."""

import os
import time

import pytest

from models.remembered import FRESH_NS, Remembered


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one").write_text("1")
    return tmp_path


@pytest.fixture
def looks():
    return []


@pytest.fixture
def remembered(folder, looks):
    def look():
        looks.append(1)
        paths = sorted(folder.iterdir())
        return {path.name: path.read_text() for path in paths}, [folder, *paths, folder / "missing"]

    return Remembered(look)


def let_settle():
    time.sleep(2 * FRESH_NS / 1e9)


def test_looks_once(remembered, looks):
    let_settle()
    assert [remembered() for _ in range(5)] == [{"one": "1"}] * 5
    assert len(looks) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "one").write_text("2"),
        lambda folder: (folder / "two").write_text("1"),
        lambda folder: (folder / "missing").write_text("1"),
        lambda folder: (folder / "one").rename(folder / "other"),
        lambda folder: (folder / "one").unlink(),
    ],
    ids=["written", "another", "missing", "renamed", "deleted"],
)
def test_looks_again_after_a_change(remembered, folder, looks, change):
    let_settle()
    before = remembered()
    change(folder)
    assert remembered() != before
    assert len(looks) == 2


def test_looks_again_where_an_older_file_takes_a_place(remembered, folder):
    old = folder.parent / f"{folder.name}-old"
    old.write_text("0")
    was = (folder / "one").stat()
    os.utime(old, ns=(was.st_atime_ns, was.st_mtime_ns))
    let_settle()
    assert remembered() == {"one": "1"}
    os.replace(old, folder / "one")
    assert remembered() == {"one": "0"}


def test_what_has_just_changed_is_not_relied_on(remembered, folder, looks):
    (folder / "one").write_text("2")
    assert [remembered(), remembered()] == [{"one": "2"}] * 2
    assert len(looks) == 2


def test_every_one_of_many_quick_changes_is_seen(remembered, folder):
    for number in range(200):
        (folder / "one").write_text(str(number % 10))
        assert remembered() == {"one": str(number % 10)}
