"""Several processes train as one does; parts of a batch add up to the batch; folders become ready for training."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from models.errors import InvalidSetting, MissingExtra
from models.networks.base import ColorRule
from models.png_files import write_png
from tests.paths import REPOSITORY
from tests.training.doomed import small_configuration, write_photographs
from tests.training.sample_runs import last_state, write_configuration
from training import prepare as preparing
from training import processes
from training.config import TrainConfig
from training.data import DegradedPatches
from training.learner import Learner
from training.pictures import load_photographs
from training.prepare import Cut, main, prepare, read_manifest, starts
from training.processes import Processes
from training.run import RunFolder
from training.trainer import fit


def fifty_steps(name: str, **changes: object) -> TrainConfig:
    """The small configuration with batches that two processes can share, logged at every step."""
    config = replace(small_configuration(steps=50), name=name)
    return replace(
        config,
        data=replace(config.data, batch_sizes=(4, 2), workers=0),
        optimizer=replace(config.optimizer, **changes),
        runtime=replace(config.runtime, log_every=1, validate_every=25, save_every=25),
    )


def curve(run: RunFolder, kind: str, name: str) -> np.ndarray:
    return np.array([event.values[name] for event in run.events() if event.kind == kind])


def assert_close(one: RunFolder, other: RunFolder) -> None:
    """Losses within 1e-3 at each of 50 steps, validation PSNR within 0.02 dB."""
    losses = [curve(run, "train", "loss") for run in (one, other)]
    assert len(losses[0]) == len(losses[1]) == 50
    assert np.abs(losses[0] - losses[1]).max() < 1e-3
    assert losses[0][-10:].mean() < losses[0][:10].mean(), "nothing was learned, so nothing is compared"
    scores = [curve(run, "validation", "score_db") for run in (one, other)]
    assert len(scores[0]) == len(scores[1]) == 2 and np.abs(scores[0] - scores[1]).max() < 0.02
    assert curve(one, "train", "megapixels").tolist() == curve(other, "train", "megapixels").tolist()


def run_together(config: TrainConfig, root: Path, *more: str) -> subprocess.CompletedProcess:
    """The very command of one process, under torchrun."""
    path = write_configuration(config, root / "configs")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = ["-m", "training.train", str(path), "--device", "cpu", "--data", str(root)]
    return subprocess.run(
        [*launcher, *command, "--folder", str(root / config.name), *more],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.parametrize("method", ["adamw", "muon"])
def test_two_processes_train_as_one_does(method: str, tmp_path: Path) -> None:
    pytest.importorskip("accelerate", reason="several processes need accelerate: requirements-scale.txt")
    write_photographs(tmp_path)
    alone, together = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "together")
    fit(fifty_steps("alone", method=method), alone, data_root=tmp_path, device="cpu")
    result = run_together(fifty_steps("together", method=method), tmp_path)
    assert result.returncode == 0, result.stderr
    assert_close(alone, together)
    events = [json.loads(line) for line in together.events_path.read_text().splitlines()]
    assert [event["kind"] for event in events].count("start") == 1
    kinds = [event["kind"] for event in events if event["kind"] != "activity"]  # each tells of its share
    assert [event.kind for event in alone.events() if event.kind != "activity"] == kinds
    assert len(last_state(together)["random_states"]) == 2
    assert result.stdout.count("--run") == 1, "one process speaks"


def test_two_processes_resume_what_one_began(tmp_path: Path) -> None:
    pytest.importorskip("accelerate", reason="several processes need accelerate: requirements-scale.txt")
    write_photographs(tmp_path)
    alone, both, asked = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "both"), iter(range(1, 1000))
    fit(fifty_steps("alone"), alone, data_root=tmp_path, device="cpu")
    fit(fifty_steps("both"), both, data_root=tmp_path, device="cpu", should_stop=lambda: next(asked) == 30)
    result = run_together(fifty_steps("both"), tmp_path, "--resume")
    assert result.returncode == 0, result.stderr
    assert_close(alone, both)


def test_parts_of_a_batch_add_up_to_the_batch(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    fit(fifty_steps("whole"), whole, data_root=tmp_path, device="cpu")
    fit(fifty_steps("parts", accumulation=2), parts, data_root=tmp_path, device="cpu")
    assert_close(whole, parts)


def test_shares_of_a_batch_are_the_batch(tmp_path: Path) -> None:
    write_photographs(tmp_path)
    config = fifty_steps("any")
    images = load_photographs(("train",), tmp_path, smallest=40).images
    whole = DegradedPatches(config, ColorRule.RGB, images)[7]
    shares = [DegradedPatches(config, ColorRule.RGB, images, share=(index, 4))[7] for index in range(4)]
    for name, values in vars(whole).items():
        assert torch.equal(values, torch.cat([getattr(share, name) for share in shares])), name
    assert [len(part.clean) for part in whole.parts(2)] == [2, 2]


def test_batches_that_cannot_be_shared_are_refused(tmp_path: Path, monkeypatch) -> None:
    write_photographs(tmp_path)
    three = Processes("cpu")
    monkeypatch.setattr(three, "count", 3)
    with pytest.raises(InvalidSetting, match="A batch of 4 patches cannot be shared by 3 processes"):
        Learner(fifty_steps("any"), tmp_path, three)
    with pytest.raises(InvalidSetting, match="multiples of optimizer.accumulation, 3, are needed"):
        TrainConfig.from_text(fifty_steps("any", accumulation=3).to_yaml())


def test_several_processes_without_accelerate_are_a_sentence(monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(MissingExtra, match="2 processes were started, and the package accelerate is missing"):
        processes.Processes("cpu")


def test_tensorboard_gets_the_same_numbers(tmp_path: Path, monkeypatch) -> None:
    write_photographs(tmp_path)
    config = small_configuration(steps=6)
    config = replace(config, runtime=replace(config.runtime, tensorboard=True))
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "torch.utils.tensorboard", None)
        with pytest.raises(MissingExtra, match="tensorboard is missing"):
            fit(config, RunFolder(tmp_path / "without"), data_root=tmp_path, device="cpu")
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = RunFolder(tmp_path / "run")
    fit(config, run, data_root=tmp_path, device="cpu")
    board = accumulator.EventAccumulator(str(run.folder / "tensorboard"))
    board.Reload()
    assert [point.step for point in board.Scalars("train/loss")] == [3, 6]
    assert [point.value for point in board.Scalars("train/loss")] == pytest.approx(
        curve(run, "train", "loss")
    )
    assert [point.value for point in board.Scalars("validation/score_db")] == pytest.approx(
        curve(run, "validation", "score_db")
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs, one of them twice, a JPEG, a torn one, a tiny one and one of 16 bits."""
    found = tmp_path / "photographs"
    found.mkdir()
    write_png(skimage.data.astronaut()[:200, :260], found / "a.png")
    write_png(skimage.data.coffee()[:90, :100], found / "b.png")
    (found / "c.png").write_bytes((found / "b.png").read_bytes())
    Image.fromarray(skimage.data.coffee()[:90, :100]).save(found / "d.jpg")
    (found / "e.png").write_bytes((found / "a.png").read_bytes()[:3000])
    write_png(skimage.data.coffee()[:20, :100], found / "f.png")
    Image.fromarray(np.zeros((90, 90), np.uint16)).save(found / "g.png")
    return found


def test_a_folder_is_checked_cut_and_listed(folder: Path, tmp_path: Path, capsys) -> None:
    target = tmp_path / "photographs-pieces"
    assert main([str(folder), "--side", "96", "--distance", "64", "--workers", "1"]) == 0
    printed = capsys.readouterr().out
    assert "2 of 7 photographs are ready" in printed
    for name, why in (
        ("c.png", "the same file as b.png"),
        ("d.jpg", "JPEG"),
        ("e.png", "cannot be read"),
        ("f.png", "20 x 100 pixels are fewer than 48"),
        ("g.png", "not 8 bits"),
    ):
        assert any(f"{name}: " in line and why in line for line in printed.splitlines()), name
    entries = {entry.source: entry for entry in read_manifest(target / preparing.MANIFEST)}
    assert list(entries) == sorted(path.name for path in folder.iterdir())
    pixels = skimage.data.astronaut()[:200, :260]
    covered = np.zeros(pixels.shape[:2], bool)
    for name in entries["a.png"].pieces:
        top, left = (int(part) for part in Path(name).stem.split("-")[-2:])
        piece = np.asarray(Image.open(target / name))
        np.testing.assert_array_equal(piece, pixels[top : top + 96, left : left + 96])
        covered[top : top + 96, left : left + 96] = True
    assert covered.all() and len(entries["b.png"].pieces) == 2
    assert np.asarray(Image.open(target / entries["b.png"].pieces[0])).shape == (90, 96, 3)
    assert len(load_photographs((str(target),), tmp_path, smallest=48).images) == sum(
        len(entry.pieces) for entry in entries.values()
    )


def test_preparing_goes_on_where_it_was_interrupted(folder: Path, tmp_path: Path, monkeypatch) -> None:
    target, cut = tmp_path / "pieces", Cut(96, 64)
    whole = prepare(folder, target, cut=cut)
    before = {path.name: path.stat().st_mtime_ns for path in target.glob("*.png")}
    lost = target / whole[0].pieces[0]
    lost.unlink()
    (target / ".half.png.1.part").write_bytes(b"half")
    lines = (target / preparing.MANIFEST).read_text().splitlines(keepends=True)
    (target / preparing.MANIFEST).write_text("".join(lines[:-1]) + lines[-1][:20])
    assert prepare(folder, target, cut=cut) == whole
    after = {path.name: path.stat().st_mtime_ns for path in target.glob("*.png")}
    assert after.keys() == before.keys() and not list(target.glob(".*.part"))
    unchanged = [name for name in before if before[name] == after[name]]
    assert set(unchanged) == {name for name in before if not name.startswith("a_png")}
    (folder / "a.png").unlink()
    assert [entry.source for entry in prepare(folder, target, cut=cut)][0] == "b.png"
    assert not list(target.glob("a_png*"))
    kept = prepare(folder, target, cut=cut, keep_jpeg=True)
    assert [entry.source for entry in kept if entry.pieces] == ["b.png", "d.jpg"]


def test_a_folder_of_something_else_loses_nothing(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    for name in ("x-00000-00000.png", ".draft.part", preparing.MANIFEST):
        (target / name).write_bytes(b"somebody's own")
        with pytest.raises(InvalidSetting, match="something else than pieces"):
            prepare(folder, target, cut=Cut(96, 64))
        assert [path.read_bytes() for path in target.iterdir()] == [b"somebody's own"]
        (target / name).unlink()
    entries = prepare(folder, target, cut=Cut(96, 64))
    (target / "x-00000-00000.png").write_bytes(b"somebody's own")
    (folder / "a.png").unlink()
    assert prepare(folder, target, cut=Cut(96, 64)) != entries
    assert not list(target.glob("a_png*")) and (target / "x-00000-00000.png").exists()
    outside = tmp_path / "y-00000-00000.png"
    outside.write_bytes(b"somebody's own")
    line = (target / preparing.MANIFEST).read_text().splitlines()[0]
    named = json.loads(line) | {"source": "y.png", "pieces": [f"../{outside.name}"]}
    (target / preparing.MANIFEST).write_text(json.dumps(named) + chr(10))
    prepare(folder, target, cut=Cut(96, 64))
    assert outside.exists()


def test_pieces_cover_every_length() -> None:
    cut = Cut(96, 64)
    for length in range(48, 700):
        found = starts(length, cut)
        assert found[0] == 0 and all(
            0 < b - a <= cut.distance for a, b in zip(found, found[1:], strict=False)
        )
        assert found[-1] + cut.side == max(length, cut.side)


def test_preparing_nothing_is_a_sentence(folder: Path, tmp_path: Path, capsys) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert main([str(folder), "--to", str(folder)]) == 2
    assert main([str(folder), "--side", "10"]) == 2
    for line in capsys.readouterr().err.strip().splitlines():
        assert len(line.split(". ")) >= 3
