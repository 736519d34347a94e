"""What can go wrong around a run: one sentence in three parts, an "error" event, and the last checkpoint intact."""

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from models.errors import BrokenCheckpoint, InvalidSetting, RestorationError
from models.zoo import ARCHITECTURES
from tests.paths import REPOSITORY
from tests.training.doomed import assert_three_parts, small_configuration, write_photographs
from tests.training.sample_runs import holder_of, last_state, write_configuration
from training import checkpoint_files, learner, pictures
from training.failures import RunStopped
from training.losses import RestorationLoss
from training.pictures import load_photographs
from training.run import RunFolder
from training.trainer import fit


def fails(config, run: RunFolder, root: Path, error: type[RestorationError], match: str, **options) -> str:
    """The sentence with which a run fails, which its last event repeats."""
    with pytest.raises(error, match=match) as caught:
        fit(config, run, data_root=root, device="cpu", **options)
    assert_three_parts(str(caught.value))
    *_, last = run.events()
    assert (last.kind, last.values["sentence"]) == ("error", str(caught.value))
    assert holder_of(run) is None
    return str(caught.value)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_photographs(tmp_path)
    return tmp_path


def fill_after(monkeypatch, count: int) -> None:
    """Let the disk be full from the count-th state that is written."""
    save, calls = torch.save, []

    def full(state: object, file: BinaryIO) -> None:
        calls.append(1)
        if len(calls) >= count:
            file.write(b"PK half a file")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(state, file)

    monkeypatch.setattr(checkpoint_files.torch, "save", full)


def test_a_full_disk_keeps_the_last_checkpoint(root: Path, monkeypatch) -> None:
    config, run, whole = small_configuration(steps=10), RunFolder(root / "run"), RunFolder(root / "whole")
    fit(config, whole, data_root=root, device="cpu")
    with monkeypatch.context() as patched:
        fill_after(patched, 3)  # the first is step 0's, the second step 4's
        fails(config, run, root, RunStopped, "The disk is full")
    assert last_state(run)["step"] == 4 and run.load_latest()[1] == ""
    assert not list(run.folder.glob(".*.part"))
    assert fit(config, run, data_root=root, device="cpu", resume=True)
    assert all(torch.equal(a, b) for a, b in zip(
        last_state(run)["network"].values(), last_state(whole)["network"].values(), strict=True))  # fmt: skip


def test_a_full_disk_cannot_tear_the_events(root: Path, monkeypatch) -> None:
    config, run = small_configuration(steps=10), RunFolder(root / "run")
    write = os.write

    def torn(handle: int, line: bytes) -> int:
        """Take half of a training event, then nothing more."""
        if b'"train"' in line:
            return write(handle, line[: len(line) // 2])
        if not line.startswith(b'{"step"'):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, line)

    monkeypatch.setattr(os, "write", torn)
    sentence = fails(config, run, root, RunStopped, "The disk is full")
    assert "events.jsonl" in sentence
    text = run.events_path.read_text()
    assert text.endswith("}\n") and '"train"' not in text


def small_disk(folder: Path) -> bool:
    """Mount a disk of 12 MB, where this account may."""
    folder.mkdir()
    if shutil.which("mount") is None:
        return False
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    return mounted.returncode == 0


def test_a_disk_that_is_really_full(root: Path) -> None:
    disk = root / "disk"
    if not small_disk(disk):
        pytest.skip("this account may not mount a small disk; the tests above pretend one")
    try:
        run, room = RunFolder(disk / "run"), disk / "something"
        asked = iter(range(1, 1000))
        config = small_configuration(steps=40)
        fit(config, run, data_root=root, device="cpu", should_stop=lambda: next(asked) == 6)
        free = shutil.disk_usage(disk).free
        room.write_bytes(bytes(max(free - 40_000, 0)))
        assert str(run.folder) in fails(config, run, root, RunStopped, "The disk is full", resume=True)
        assert last_state(run)["step"] >= 6
        room.unlink()
        assert fit(replace(config), run, data_root=root, device="cpu", resume=True)
    finally:
        subprocess.run(["umount", str(disk)], check=False)


def test_a_folder_that_cannot_be_made_or_written_is_refused(root: Path) -> None:
    (root / "file").write_text("not a folder")
    with pytest.raises(RunStopped, match="cannot be used") as caught:
        fit(small_configuration(), RunFolder(root / "file" / "run"), data_root=root, device="cpu")
    assert_three_parts(str(caught.value))


@pytest.mark.skipif(not hasattr(os, "fork") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(root: Path) -> None:
    (root / "locked").mkdir(mode=0o500)
    with pytest.raises(RunStopped, match="cannot be used"):
        fit(small_configuration(), RunFolder(root / "locked" / "run"), data_root=root, device="cpu")


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint_before(
    root: Path, monkeypatch
) -> None:
    forward, calls = RestorationLoss.forward, []

    def spoiled(self, *arguments, **options):
        calls.append(1)
        total, terms = forward(self, *arguments, **options)
        return (total * float("nan"), terms) if len(calls) > 6 else (total, terms)

    monkeypatch.setattr(RestorationLoss, "forward", spoiled)
    run = RunFolder(root / "run")
    fails(small_configuration(), run, root, RunStopped, "no number in 10 steps in a row, until step 16")
    state = last_state(run)
    assert state["step"] == 4, "what was saved later would hide what happened"
    assert all(torch.isfinite(each).all() for each in state["network"].values())
    logged = [event.values["loss"] for event in run.events() if event.kind == "train"]
    assert logged[0] > 0 and logged[-1] is None


def test_one_bad_step_changes_nothing(root: Path, monkeypatch) -> None:
    forward, calls = RestorationLoss.forward, []

    def spoiled_once(self, *arguments, **options):
        calls.append(1)
        total, terms = forward(self, *arguments, **options)
        return total * (float("inf") if len(calls) == 3 else 1), terms

    monkeypatch.setattr(RestorationLoss, "forward", spoiled_once)
    run = RunFolder(root / "run")
    assert fit(small_configuration(steps=12), run, data_root=root, device="cpu")
    assert all(torch.isfinite(each).all() for each in last_state(run)["network"].values())


def test_weights_that_are_no_numbers_are_never_saved(root: Path, monkeypatch) -> None:
    run, average = RunFolder(root / "run"), learner.Learner.average

    def spoil(self, decay: float) -> None:
        average(self, decay)
        with torch.no_grad():
            next(self.network.parameters()).fill_(float("nan"))

    monkeypatch.setattr(learner.Learner, "average", spoil)
    monkeypatch.setattr(learner, "MOST_SKIPPED_STEPS", 1000)
    with pytest.raises(RunStopped, match="values that are no numbers at step"):
        fit(small_configuration(), run, data_root=root, device="cpu", should_stop=lambda: True)
    assert last_state(run)["step"] == 0


def test_empty_missing_and_unreadable_folders_of_photographs(root: Path) -> None:
    (root / "empty").mkdir()
    (root / "rubbish").mkdir()
    for number in range(7):
        (root / "rubbish" / f"{number}.png").write_bytes(b"no picture")
    for folder, match in (
        ("empty", "no pictures in .*empty"),
        ("missing", "missing cannot be read"),
        (
            "rubbish",
            r"No picture in rubbish can be used. 0.png \(.*4.png .* and 2 more cannot be read and are left",
        ),
        ("../outside", "leads out of"),
        (str(root / "file"), "cannot be read"),
    ):
        config = small_configuration(steps=1)
        for part in ("train", "validation"):
            entry = (folder,) if part == "train" else folder
            broken = replace(config, data=replace(config.data, **{part: entry}))
            fails(broken, RunFolder(root / "run"), root, InvalidSetting, match)
    assert fit(small_configuration(steps=1), RunFolder(root / "run"), data_root=root, device="cpu")


def test_photographs_that_are_too_small_or_damaged_are_named_and_left_out(root: Path) -> None:
    Image.fromarray(np.zeros((30, 90, 3), np.uint8)).save(root / "train" / "narrow.png")
    Image.fromarray(np.zeros((90, 90), np.uint16)).save(root / "train" / "deep.png")
    whole = (root / "train" / "train-0.png").read_bytes()
    (root / "train" / "torn.png").write_bytes(whole[: len(whole) // 2])
    told = []
    fit(
        small_configuration(steps=1),
        RunFolder(root / "run"),
        data_root=root,
        device="cpu",
        on_event=told.append,
    )
    start = next(event for event in told if event.kind == "start")
    damaged, small = start.values["warnings"]
    assert "deep.png (I;16 pixels, not 8 bits per channel)" in damaged and "torn.png" in damaged
    assert small == "narrow (30 x 90) is smaller than 40 x 40 pixels and left out."
    config = small_configuration(steps=1)
    large = replace(config, data=replace(config.data, patch_sizes=(32, 96)))
    fails(large, RunFolder(root / "large"), root, InvalidSetting, "as large as 104 x 104 pixels")


def test_photographs_beyond_memory_are_read_when_they_are_needed(root: Path, monkeypatch) -> None:
    whole, lazy = RunFolder(root / "whole"), RunFolder(root / "lazy")
    fit(small_configuration(steps=8), whole, data_root=root, device="cpu")
    monkeypatch.setattr(pictures, "LARGEST_IN_MEMORY_BYTES", 1000)
    found = load_photographs(("train",), root, smallest=40)
    assert all(isinstance(image, pictures.PictureFile) for image in found.images)
    fit(small_configuration(steps=8), lazy, data_root=root, device="cpu")
    assert all(torch.equal(a, b) for a, b in zip(
        last_state(whole)["network"].values(), last_state(lazy)["network"].values(), strict=True))  # fmt: skip

    def lost(event) -> None:
        if event.kind == "start":
            for path in (root / "train").iterdir():
                path.write_bytes(b"gone")

    fails(
        small_configuration(),
        RunFolder(root / "gone"),
        root,
        RunStopped,
        "whole and stay in place",
        on_event=lost,
    )


def test_a_device_that_is_not_there_is_refused_before_anything_is_written(root: Path) -> None:
    for device in ("cuda:77", "gpu", "mps" if not torch.backends.mps.is_available() else "xpu"):
        with pytest.raises(InvalidSetting, match="cannot be used here") as caught:
            fit(small_configuration(), RunFolder(root / "run"), data_root=root, device=device)
        assert_three_parts(str(caught.value))
    assert not (root / "run").exists()


def test_weights_to_start_from_are_checked(root: Path) -> None:
    config = small_configuration(steps=1)
    torch.manual_seed(9)
    weights = ARCHITECTURES["cascade"](**config.hyperparameters).state_dict()
    first = next(iter(weights))
    cases = {
        "pickle.pt": (None, InvalidSetting, "Only .safetensors files are read"),
        "missing.safetensors": (None, BrokenCheckpoint, "There is no"),
        "half.safetensors": (
            {k: v for k, v in weights.items() if k != first},
            BrokenCheckpoint,
            "is missing",
        ),
        "shape.safetensors": (weights | {first: torch.zeros(3)}, BrokenCheckpoint, r"measures \[3\], not"),
        "nan.safetensors": (weights | {first: weights[first] * float("nan")}, BrokenCheckpoint, "no numbers"),
    }
    for name, (content, error, match) in cases.items():
        if content is not None:
            save_file(content, root / name)
        broken = replace(config, start_from=str(root / name))
        fails(broken, RunFolder(root / "run"), root, error, match)
    (root / "torn.safetensors").write_bytes((root / "shape.safetensors").read_bytes()[:1000])
    torn = replace(config, start_from=str(root / "torn.safetensors"))
    fails(torn, RunFolder(root / "run"), root, BrokenCheckpoint, "damaged")
    misnamed = replace(config, start_from=str(root / "half.safetensors"), start_anew=("nothing",))
    fails(misnamed, RunFolder(root / "run"), root, InvalidSetting, "start_anew names 'nothing'")
    save_file({name: tensor.half() for name, tensor in weights.items()}, root / "good.safetensors")
    good = replace(config, start_from=str(root / "good.safetensors"))
    run = RunFolder(root / "run")
    begun = []
    fit(
        good,
        run,
        data_root=root,
        device="cpu",
        on_event=lambda event: begun.append(last_state(run)) if event.kind == "saved" else None,
    )
    assert torch.equal(begun[0]["network"][first], weights[first].half().float())
    (root / "good.safetensors").unlink()
    assert fit(good, run, data_root=root, device="cpu", resume=True), "a run that has begun needs it no more"


def test_a_data_worker_that_dies_and_a_compiler_that_is_missing_are_sentences(
    root: Path, monkeypatch
) -> None:
    from torch._inductor.exc import InvalidCxxCompiler

    monkeypatch.setattr(learner.DegradedPatches, "__getitem__", lambda self, step: os._exit(9))
    run = RunFolder(root / "run")
    fails(small_configuration(), run, root, RunStopped, "A process that prepares patches ended")
    monkeypatch.undo()

    def no_compiler(self, *arguments, **options):
        raise InvalidCxxCompiler

    monkeypatch.setattr(learner.Learner, "step", no_compiler)
    fails(small_configuration(), run, root, RunStopped, "torch.compile failed", resume=True)


def test_memory_that_is_not_enough_is_a_sentence(root: Path, monkeypatch) -> None:
    def greedy(self, *arguments, **options):
        return torch.empty(2**60)

    monkeypatch.setattr(learner.Learner, "step", greedy)
    fails(small_configuration(), RunFolder(root / "run"), root, RunStopped, "The memory was not enough")


def test_a_fault_of_the_program_is_told_as_one(root: Path, monkeypatch) -> None:
    def bug(self, *arguments, **options):
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr(learner.Learner, "step", bug)
    run = RunFolder(root / "run")
    with pytest.raises(ZeroDivisionError):
        fit(small_configuration(), run, data_root=root, device="cpu")
    *_, last = run.events()
    assert last.kind == "error" and "ZeroDivisionError: a fault" in last.values["sentence"]
    assert_three_parts(last.values["sentence"])


def test_the_command_line_says_it_and_ends_with_code_2(root: Path) -> None:
    config = small_configuration(steps=1)
    path = write_configuration(
        replace(config, data=replace(config.data, train=("nowhere",))), root / "configs"
    )
    command = [
        sys.executable,
        "-m",
        "training.train",
        str(path),
        "--data",
        str(root),
        "--run",
        str(root / "run"),
    ]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)
    assert result.returncode == 2, result.stderr
    assert_three_parts(result.stderr.strip())
    assert "nowhere cannot be read" in result.stderr
