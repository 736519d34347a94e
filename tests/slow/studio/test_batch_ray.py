"""Ray gives what the local engine gives; without it, one sentence says how to get it."""

import csv
import importlib.util
import pickle
import subprocess
import sys

import pytest

from models.jpeg import Save, encode
from studio.batch import on_ray
from studio.batch.files import found_pictures
from studio.batch.run import BatchSettings
from studio.restore.__main__ import main
from tests.paths import REPOSITORY

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="Ray is not installed; pip install -r requirements-ray.txt",
)
SLOWEST_SECONDS = 600


@pytest.fixture
def pictures(photograph, tmp_path):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    for index in range(7):
        data = encode(photograph.image.pixels[: 40 + index], Save(20 + index)).data
        (folder / ("deep" if index % 2 else "") / f"{index}.jpg").write_bytes(data)
    (folder / "broken.jpg").write_bytes(b"broken")
    return folder


def rows_without_seconds(path):
    lines = path.read_text("utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    return [line for line in lines if line.startswith("#")], [{**row, "seconds": ""} for row in rows]


@needs_ray
def test_results_and_report_are_those_of_the_local_engine(pictures, checkpoints, tmp_path):
    contents, reports = [], []
    for engine, more in (("local", []), ("ray", ["--engine", "ray", "--ray-workers", "2"])):
        where = [
            "--checkpoints",
            str(checkpoints),
            "--device",
            "cpu",
            "--model",
            "cascade",
            "--model",
            "plain",
        ]
        words = [str(pictures), "-o", str(tmp_path / engine), "--report", str(tmp_path / f"{engine}.csv")]
        words += ["--recompress", "30,4:2:0", *where, *more]
        ended = subprocess.run(
            [sys.executable, "-m", "studio.restore", *words],
            cwd=REPOSITORY,
            timeout=SLOWEST_SECONDS,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 1, ended.stderr
        folder = tmp_path / engine
        contents.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")})
        reports.append(rows_without_seconds(tmp_path / f"{engine}.csv"))
    assert len(contents[0]) == 14
    assert contents[0] == contents[1]
    assert reports[0] == reports[1]


def test_a_worker_that_takes_over_finds_what_is_done(pictures, checkpoints, tmp_path):
    settings = BatchSettings(("ar_cnn",))
    plan = on_ray.RayPlan(checkpoints, "cpu", settings, tmp_path / "out")
    found = found_pictures([str(pictures)], tmp_path / "out").pictures
    batch = {"picture": [pickle.dumps(one) for one in found], "name": [f"name {one.stem}" for one in found]}
    states = []
    for _ in range(2):
        answer = on_ray.RayRestorer(plan)(batch)["rows"]
        rows = [row for rows in map(pickle.loads, answer) for row in rows]
        assert [row.picture for row in rows] == batch["name"]
        states.append([row.state for row in rows if row.state != "failed"])
    assert states == [["restored"] * 7, ["done before"] * 7]


def test_without_ray_there_is_one_sentence(pictures, checkpoints, tmp_path, monkeypatch, capsys):
    real = on_ray.importlib.import_module

    def absent(name):
        if name.startswith("ray"):
            raise ImportError("No module named 'ray'")
        return real(name)

    monkeypatch.setattr(on_ray.importlib, "import_module", absent)
    words = [
        str(pictures),
        "-o",
        str(tmp_path / "out"),
        "--engine",
        "ray",
        "--model",
        "plain",
        "--device",
        "cpu",
    ]
    assert main([*words, "--checkpoints", str(checkpoints)]) == 2
    told = capsys.readouterr().err
    assert "pip install -r requirements-ray.txt" in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


def test_ray_is_not_loaded_unasked():
    code = "import sys, studio.restore; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, timeout=300).returncode == 0
