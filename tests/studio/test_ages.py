"""Ages by a clock that nobody sets."""

import os
import time

import pytest

from models import ages
from models.ages import Ages
from studio.server.files import PictureFolder

DAY = 86_400.0


class Clock:
    """Both clocks; each can be moved."""

    def __init__(self, monkeypatch):
        self._monotonic, self._step = 1000.0, 0.0
        self._wall = time.time()
        monkeypatch.setattr(ages.time, "monotonic", lambda: self._monotonic)
        monkeypatch.setattr(ages.time, "time", self.wall)
        monkeypatch.setattr(ages, "_STEADY_OFFSET", self._wall - self._monotonic)

    def wall(self):
        return self._wall + self._step

    def pass_by(self, seconds):
        self._monotonic += seconds
        self._wall += seconds

    def step(self, seconds):
        self._step += seconds


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.mark.parametrize("step", [-DAY, -3600, -3, 0, 3, 3600, DAY])
def test_a_step_of_the_clock_changes_no_age(clock, step):
    known = Ages()
    changed = int(clock.wall() * 1e9)
    assert known.seconds("file", changed) == 0
    clock.pass_by(100)
    clock.step(step)
    assert known.seconds("file", changed) == pytest.approx(100)
    assert known.seconds("first seen later", changed) <= 100.001
    again = int(clock.wall() * 1e9)
    assert known.seconds("file", again) == pytest.approx(0, abs=1e-3), (
        "it was written again, by the new clock"
    )
    clock.pass_by(50)
    assert known.seconds("file", again) == pytest.approx(50, abs=1e-3)


def test_what_lies_ahead_of_both_clocks_is_new(clock):
    known = Ages()
    ahead = int((clock.wall() + DAY) * 1e9)
    assert known.seconds("file", ahead) == 0
    clock.pass_by(10)
    assert known.seconds("file", ahead) == pytest.approx(10)


def test_what_was_there_before_is_as_old_as_it_says(clock):
    assert Ages().seconds("file", int((clock.wall() - 500) * 1e9)) == pytest.approx(500, abs=1e-3)


@pytest.mark.parametrize("step", [-DAY, DAY])
def test_pictures_stay_as_long_as_promised(tmp_path, clock, step):
    pictures = PictureFolder(tmp_path, 1800)
    path = pictures.served_bytes("a.bin", b"x")["path"]
    os.utime(path, (clock.wall(), clock.wall()))
    pictures.sweep()
    clock.step(step)
    clock.pass_by(1700)
    assert pictures.sweep() == 0
    clock.pass_by(200)
    assert pictures.sweep() == 1


def test_a_picture_that_is_asked_for_again_stays(tmp_path, clock):
    pictures = PictureFolder(tmp_path, 1800)
    pictures.served_bytes("a.bin", b"x")
    clock.pass_by(1700)
    pictures.served_bytes("a.bin", b"x")
    clock.pass_by(1700)
    assert pictures.sweep() == 0
