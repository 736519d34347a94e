"""An exported Space is small, complete, and starts for strangers by itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from gradio_client import Client, handle_file
from packaging.requirements import Requirement
from PIL import Image

from studio.server.export_space import MAX_BYTES, export, main
from tests.paths import REPOSITORY
from tests.slow.test_hosting_files import free_port, wait_for

SPACE = {"SPACE_ID": "somebody/studio", "SPACE_HOST": "somebody-studio.hf.space"}


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "space"
    assert export(folder) <= MAX_BYTES
    return folder


def test_only_what_serves_is_there(space):
    front = yaml.safe_load((space / "README.md").read_text().split("---")[1])
    assert front["sdk"] == "gradio" and (space / front["app_file"]).is_file()
    assert not (space / "tests").exists() and not (space / "docs" / "images").exists()
    assert sum(path.stat().st_size for path in space.rglob("*") if path.is_file()) <= MAX_BYTES
    assert {path.name for path in (space / "checkpoints").iterdir()} == {
        path.name for path in (REPOSITORY / "checkpoints").iterdir()
    }


def test_its_requirements_are_exact_but_for_torch(space):
    lines = [Requirement(line) for line in (space / "requirements.txt").read_text().splitlines()]
    ours = {
        Requirement(line.partition("#")[0]).name: Requirement(line.partition("#")[0]).specifier
        for line in (REPOSITORY / "requirements.txt").read_text().splitlines()
    }
    assert {line.name for line in lines} == set(ours)
    for line in lines:
        version = str(line.specifier).removeprefix("==")
        assert line.marker is None
        assert (
            line.name == "torch" or str(line.specifier).startswith("==") and ours[line.name].contains(version)
        )


def test_it_starts_and_restores_in_public(space, tmp_path):
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    code = f"import sys; sys.argv = ['app.py', '--host', '127.0.0.1', '--port', '{port}']; "
    code += "sys.path.insert(0, '.'); import runpy; runpy.run_path('app.py', run_name='__main__')"
    server = subprocess.Popen(
        [sys.executable, "-P", "-c", code],
        cwd=space,
        env=environment | SPACE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        assert wait_for(f"{address}/", server, Host=SPACE["SPACE_HOST"]) == 200
        photo = tmp_path / "photo.jpg"
        Image.effect_noise((64, 48), 60).convert("RGB").save(photo, quality=20)
        client = Client(address, verbose=False, download_files=str(tmp_path / "files"))
        tabs = {part["props"]["label"] for part in client.config["components"] if part["type"] == "tabitem"}
        assert "Models" in tabs and "Train" not in tabs
        answer = client.predict(handle_file(photo), models=["cascade"], api_name="/restore")
        assert Path(answer["results"][0]["file"]).stat().st_size > 1000
    finally:
        server.terminate()
        server.wait(60)


def test_nothing_is_replaced(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main([str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
