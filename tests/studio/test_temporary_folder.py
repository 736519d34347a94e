"""The studio's own folder for files: fresh, marked, and the only one in which anything is deleted."""

import os
import subprocess
import sys
import time

import pytest

from models.errors import InvalidSetting
from studio.server import temporary_folder
from studio.server.files import PictureFolder
from studio.server.temporary_folder import MARK, PREFIX, own_temporary_folder
from tests.paths import REPOSITORY
from tests.present import present

LONG_AGO = time.time() - 86_400


def aged(path, text="somebody's own"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def test_nothing_that_was_there_before_is_deleted(tmp_path):
    files = [aged(tmp_path / name) for name in ("thesis.txt", "deep/er/notes.txt", f"{PREFIX}like/mine.txt")]
    (tmp_path / "empty").mkdir()
    own = own_temporary_folder(tmp_path)
    PictureFolder(own, 1).sweep()
    assert own.parent.parent == tmp_path
    assert own.parent.stat().st_mode & 0o777 == 0o700
    assert all(path.exists() for path in files) and (tmp_path / "empty").is_dir()
    assert own_temporary_folder(own) == own


def test_two_folders_of_one_process_are_apart(tmp_path):
    assert own_temporary_folder(tmp_path) != own_temporary_folder(tmp_path)


def test_folders_of_dead_studios_go_and_those_of_living_ones_stay(tmp_path):
    code = "import sys; from pathlib import Path\n"
    code += "from studio.server.temporary_folder import own_temporary_folder as f\n"
    code += "print(f(Path(sys.argv[1])), flush=True); sys.stdin.read(); import os; os._exit(0)"  # no atexit: killed
    command = [sys.executable, "-c", code, str(tmp_path)]
    alive, dead = (
        subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    )
    places = [os.path.dirname(present(each.stdout).readline().strip()) for each in (alive, dead)]
    dead.communicate("")
    own_temporary_folder(tmp_path)
    assert [os.path.isdir(place) for place in places] == [True, False]
    alive.communicate("")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_links_are_not_followed(tmp_path):
    victim = aged(tmp_path / "victim" / "thesis.txt")
    aged(tmp_path / "victim" / MARK, "")
    (tmp_path / "temp").mkdir()
    (tmp_path / "temp" / f"{PREFIX}planted").symlink_to(victim.parent)
    marked_by_link = tmp_path / "temp" / f"{PREFIX}linked"
    kept = aged(marked_by_link / "kept.txt")
    (marked_by_link / MARK).symlink_to(victim)
    own = own_temporary_folder(tmp_path / "temp")
    (own / "inside").symlink_to(victim.parent)
    (own / "file.png").symlink_to(victim)
    PictureFolder(own, -1).sweep()
    assert victim.read_text() == "somebody's own" and kept.exists()
    assert not (own / "file.png").is_symlink()


def test_a_folder_of_another_user_is_left_alone(tmp_path, monkeypatch):
    theirs = tmp_path / f"{PREFIX}theirs"
    aged(theirs / MARK, "")
    monkeypatch.setattr(temporary_folder.os, "getuid", lambda: os.stat(theirs).st_uid + 1)
    own_temporary_folder(tmp_path)
    assert theirs.is_dir()


@pytest.mark.parametrize("kind", ["a file", "below a file", "read-only"])
def test_an_unwritable_place_is_one_sentence(tmp_path, kind, monkeypatch):
    place = tmp_path / "place"
    if kind == "read-only":

        def refuse(**_):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(temporary_folder.tempfile, "mkdtemp", refuse)
    else:
        place.write_text("taken")
    with pytest.raises(InvalidSetting, match="GRADIO_TEMP_DIR"):
        own_temporary_folder(place / "x" if kind == "below a file" else place)


def test_the_studio_says_so_and_ends(tmp_path):
    (tmp_path / "taken").write_text("a file")
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path / "taken")}
    command = [sys.executable, "app.py", "--public", "--device", "cpu", "--port", "7999"]
    ended = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=180
    )
    assert ended.returncode == 2
    assert "GRADIO_TEMP_DIR" in ended.stderr and "Traceback" not in ended.stderr
