"""Whose files are whose, how long anything stays, and what uploads may be opened."""

import os
import time
from threading import Thread

import numpy as np
import pytest

from models.errors import InvalidSetting
from models.jpeg import Degradation, Save, read
from studio.engine.cache import ResultCache
from studio.engine.outputs import RestoreRequest
from studio.server.files import PictureFolder
from studio.session.uploads import Uploads

PIXELS = np.arange(64 * 64 * 3, dtype=np.uint8).reshape(64, 64, 3)


@pytest.fixture
def folder(tmp_path):
    """A folder, and a way to say who is being answered."""
    asking = ["anna"]
    made = PictureFolder(tmp_path / "pictures", 100, visitor=lambda: asking[0])
    made.root.mkdir()

    def ask(name):
        asking[0] = name
        return made

    return ask


def test_a_file_goes_with_its_last_owner(folder):
    own = folder("anna").served("a.png", PIXELS)["path"]
    shared = folder("anna").served("a.png", PIXELS ^ 1)["path"]
    assert folder("ben").served("a.png", PIXELS ^ 1)["path"] == shared
    assert folder("ben").forget("anna") == 2
    assert not os.path.exists(own) and os.path.exists(shared)
    assert not os.path.exists(os.path.dirname(own))
    assert folder("ben").forget("ben") == 1
    assert not os.path.exists(shared)
    assert folder("ben").forget("ben") == 0


def test_files_that_the_page_needs_stay(folder):
    page = folder("anna").served("thumbnail.png", PIXELS)["path"]
    folder("anna").keep([folder("anna").root / os.path.relpath(page, folder("anna").root)])
    folder("anna").forget("anna")
    assert os.path.exists(page)


def test_sweeping_writing_and_deleting_do_not_trip_over_each_other(folder):
    pictures = folder("anna")
    pictures.lifetime_seconds = 1.0
    failures, until = [], time.monotonic() + 3

    def again_and_again(work):
        try:
            while time.monotonic() < until:
                work()
        except Exception as problem:
            failures.append(problem)

    def write():
        for number in range(20):
            pictures.served(f"{number}.png", PIXELS[: 8 + number])

    works = (pictures.sweep, pictures.sweep, write, write, lambda: pictures.forget("anna"))
    threads = [Thread(target=again_and_again, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_sweep_finds_what_aborted_uploads_and_earlier_processes_left(folder):
    pictures = folder(None)
    (pictures.root / "tmpabc").write_bytes(b"half an upload")
    (pictures.root / "0f0f").mkdir()
    (pictures.root / "0f0f" / "of-an-earlier-process.png").write_bytes(b"x")
    fresh = folder("anna").served("fresh.png", PIXELS)["path"]
    before = time.time() - 200
    for path in pictures.root.rglob("*"):
        if str(path) != fresh and path != pictures.root / os.path.basename(os.path.dirname(fresh)):
            os.utime(path, (before, before))
    assert pictures.sweep() == 2
    assert [str(path) for path in pictures.root.rglob("*") if path.is_file()] == [fresh]


def test_results_grow_too_old_however_often_they_are_used():
    now = [0.0]
    cache = ResultCache(10**6, 100, clock=lambda: now[0])
    cache.put("old", PIXELS)
    now[0] = 60
    cache.put("young", PIXELS)
    assert cache.get("old") is PIXELS
    now[0] = 110
    assert cache.sweep() == 1
    assert cache.get("old") is None and cache.get("young") is PIXELS
    assert cache._bytes == PIXELS.nbytes


def test_everything_of_one_photograph_is_forgotten():
    cache = ResultCache(10**6)
    degradation = Degradation((Save(10),))
    mine, theirs = ("broken", "mine", degradation), ("broken", "theirs", degradation)
    request = ("restored", object(), RestoreRequest("mine", ("plain",)))
    swept = ("swept", object(), "mine 0+400 0+600", 3, False)
    for key in (mine, theirs, request, swept):
        cache.put(key, PIXELS)
    assert cache.forget("mine") == 3
    assert cache.get(theirs) is PIXELS


@pytest.mark.parametrize(
    "place",
    [
        None,
        3,
        {"path": "x"},
        ["x"],
        "",
        "x",
        "../x",
        "/etc/passwd",
        "a" * 9000,
        "a\0b",
        "/proc/self/environ",
        ".",
    ],
    ids=lambda place: repr(place)[:20],
)
def test_only_files_in_the_folder_are_opened(folder, place):
    with pytest.raises(InvalidSetting, match="not there any more"):
        Uploads(folder("anna"), read).open(place, "x.png")


def test_links_out_of_the_folder_are_not_followed(folder, tmp_path):
    (tmp_path / "outside.png").write_bytes(b"x")
    (folder("anna").root / "link.png").symlink_to(tmp_path / "outside.png")
    with pytest.raises(InvalidSetting, match="not there any more"):
        Uploads(folder("anna"), read).open(str(folder("anna").root / "link.png"), "x.png")


def test_an_opened_upload_goes_with_its_visitor(folder):
    pictures = folder("anna")
    path = pictures.served("mine.png", PIXELS)["path"]
    opened = Uploads(folder("ben"), read).open(path, {"not": "a name"})
    assert opened.name == "photograph"
    assert np.array_equal(opened.image.pixels, PIXELS)
    pictures.forget("anna")
    assert os.path.exists(path)
    pictures.forget("ben")
    assert not os.path.exists(path)
