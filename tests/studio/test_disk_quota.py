"""Room on the disk: in all, by client, and what happens where there is none."""

import asyncio
import errno
import json
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from models.errors import RestorationError
from studio.server import disk_quota
from studio.server.disk_quota import DiskQuota, UploadQuota
from studio.server.files import PictureFolder

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def disk(monkeypatch, tmp_path):
    """A disk of 10,000 bytes that holds what lies in the folder."""
    size = [10_000]

    def usage(_folder):
        used = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
        return Usage(size[0], used, size[0] - used)

    monkeypatch.setattr(disk_quota.shutil, "disk_usage", usage)
    return size


def lay(quota, client, name, size):
    path = quota.folder / name / "file"
    path.parent.mkdir()
    path.write_bytes(bytes(size))
    quota.wrote(client, [path])
    return path


def test_the_oldest_of_the_greediest_go_first(disk, tmp_path):
    quota = DiskQuota(tmp_path, most_bytes=1000)
    other = lay(quota, "other", "0", 300)
    greedy = [lay(quota, "greedy", str(n), 100) for n in range(1, 9)]
    assert other.exists()
    assert [path.exists() for path in greedy] == [False] + [True] * 7
    assert not greedy[0].parent.exists()
    assert quota.reserve("third", 250)
    assert other.exists() and [path.exists() for path in greedy] == [False] * 4 + [True] * 4


def test_a_client_has_a_share(disk, tmp_path):
    quota = DiskQuota(tmp_path, most_bytes=5000, client_bytes=500)
    first, second = lay(quota, "one", "a", 300), lay(quota, "one", "b", 300)
    assert (first.exists(), second.exists()) == (False, True)
    assert not quota.reserve("one", 501)
    assert quota.reserve("one", 400) and not quota.reserve("one", 200), "what is under way counts"
    quota.release("one", 400)
    assert quota.reserve("one", 200)


def test_what_is_free_bounds_it_as_well(disk, tmp_path):
    disk[0] = 1000
    quota = DiskQuota(tmp_path)
    assert not quota.reserve("one", 600)
    assert quota.reserve("one", 400)


def test_what_others_have_deleted_is_not_counted(disk, tmp_path):
    quota = DiskQuota(tmp_path, most_bytes=1000)
    gone, kept = lay(quota, "one", "a", 600), lay(quota, "one", "b", 300)
    gone.unlink()
    assert quota.reserve("one", 600) and kept.exists()


def asked(quota, app, headers=(), path="/gradio_api/upload"):
    told = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": list(headers),
        "client": ("10.0.0.1", 1),
    }

    async def send(message):
        told.append(message)

    asyncio.run(UploadQuota(app, quota, 400)(scope, None, send))
    return told[0]["status"], told[-1].get("body", b"").decode()


def answering(path):
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps([str(path)]).encode()})

    return app


def test_an_upload_that_fits_is_counted(disk, tmp_path):
    quota, path = DiskQuota(tmp_path, most_bytes=1000), tmp_path / "a" / "file"
    path.parent.mkdir()
    path.write_bytes(bytes(700))
    assert asked(quota, answering(path))[0] == 200
    assert asked(quota, answering(path), [(b"content-length", b"900")])[0] == 200
    assert not path.exists(), "it went for the next one"
    assert asked(quota, answering(path), [(b"content-length", b"5000")]) == (
        507,
        json.dumps({"detail": disk_quota.NO_ROOM}),
    )
    assert asked(quota, answering(path), [(b"content-length", b"5000")], path="/other")[0] == 200


def test_a_full_disk_is_a_sentence_and_leaves_nothing(disk, tmp_path):
    async def fails(_scope, _receive, _send):
        (tmp_path / "tmpabc").write_bytes(b"half an upload")
        raise OSError(errno.ENOSPC, "No space left on device")

    quota = DiskQuota(tmp_path, most_bytes=1000)
    status, said = asked(quota, fails)
    assert status == 507 and "Try again" in said
    assert list(tmp_path.iterdir()) == []
    assert quota.reserve("10.0.0.1", 1000), "its room is free again"


def test_results_without_room_are_a_sentence_and_leave_nothing(tmp_path, monkeypatch):
    def write(_pixels, place, _density):
        Path(place).write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("studio.server.files.write_png", write)
    with pytest.raises(RestorationError, match="No space left on device"):
        PictureFolder(tmp_path, 60).served("a.png", np.zeros((4, 4, 3), np.uint8))
    assert list(tmp_path.rglob("*")) == []


def test_results_are_counted(disk, tmp_path):
    quota, pictures = DiskQuota(tmp_path, most_bytes=1000), PictureFolder(tmp_path, 60)
    pictures.on_written = lambda path: quota.wrote("one", [path])
    paths = [Path(pictures.served_bytes("a.bin", bytes([n]) * 400)["path"]) for n in range(4)]
    assert [path.exists() for path in paths] == [False, False, True, True]
