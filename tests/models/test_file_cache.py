"""What was found is found again without a look, until a file it depends on changes."""

import os
import time

import pytest

from models.file_cache import FRESH_NS, FileCache


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one").write_text("1")
    return tmp_path


@pytest.fixture
def looks():
    return []


@pytest.fixture
def cache(folder, looks):
    def look():
        looks.append(1)
        paths = sorted(folder.iterdir())
        return {path.name: path.read_text() for path in paths}, [folder, *paths, folder / "missing"]

    return FileCache(look)


def let_settle():
    time.sleep(2 * FRESH_NS / 1e9)


def test_looks_once(cache, looks):
    let_settle()
    assert [cache() for _ in range(5)] == [{"one": "1"}] * 5
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
def test_looks_again_after_a_change(cache, folder, looks, change):
    let_settle()
    before = cache()
    change(folder)
    assert cache() != before
    assert len(looks) == 2


def test_looks_again_where_an_older_file_takes_a_place(cache, folder):
    old = folder.parent / f"{folder.name}-old"
    old.write_text("0")
    was = (folder / "one").stat()
    os.utime(old, ns=(was.st_atime_ns, was.st_mtime_ns))
    let_settle()
    assert cache() == {"one": "1"}
    os.replace(old, folder / "one")
    assert cache() == {"one": "0"}


def test_what_has_just_changed_is_not_relied_on(cache, folder, looks):
    (folder / "one").write_text("2")
    assert [cache(), cache()] == [{"one": "2"}] * 2
    assert len(looks) == 2


def test_every_one_of_many_quick_changes_is_seen(cache, folder):
    for number in range(200):
        (folder / "one").write_text(str(number % 10))
        assert cache() == {"one": str(number % 10)}
