"""ZeroGPU with a stand-in for `spaces` that pickles whatever goes in and out, as its forked process does."""

import pickle
import subprocess
import sys
from contextvars import ContextVar
from threading import Event
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from models.errors import MissingExtra, RestorationError, UnknownModel
from models.jpeg import Save, encode
from models.restorer import RestoreOptions
from models.zoo import Zoo
from studio.engine.background import Progress
from studio.engine.cache import ResultCache
from studio.engine.engine import Engine
from studio.engine.outputs import RestoreRequest, StageOutputs
from studio.engine.zero_gpu_zoo import MOST_SECONDS, RemoteRestorer, ZeroGpuZoo, seconds_for
from studio.server.zero_gpu import zero_gpu
from tests.paths import REPOSITORY

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)


@pytest.fixture
def spaces():
    """A module with GPU(duration=...); `calls` lists (names, seconds, request) of each call."""
    module: Any = ModuleType("spaces")
    module.calls, module.error = [], None

    def gpu(*, duration):
        def decorated(task):
            def call(*arguments):
                module.calls.append((arguments[0], duration(*arguments), REQUEST.get()))
                if module.error:
                    raise module.error
                for item in task(*pickle.loads(pickle.dumps(arguments))):
                    yield pickle.loads(pickle.dumps(item))

            return call

        return decorated

    module.GPU = gpu
    return module


@pytest.fixture
def remote(checkpoints, spaces):
    return ZeroGpuZoo(checkpoints, spaces, device="cpu")


@pytest.fixture(scope="module")
def image(photograph):
    return encode(photograph.image.pixels, Save(20))


def run(zoo, image, names, cache=None, stop=None, **settings):
    engine = Engine(zoo, cache or ResultCache(2**26))
    return list(engine.run_stages(image, RestoreRequest("key", tuple(names), **settings), stop or Event()))


def end_of(*arguments, **settings):
    *_, last = run(*arguments, **settings)
    assert isinstance(last, StageOutputs)
    return last


def test_nowhere_else_is_spaces_imported(monkeypatch):
    monkeypatch.setattr("studio.server.zero_gpu.importlib.import_module", lambda name: pytest.fail(name))
    assert zero_gpu({}) is None
    assert zero_gpu({"SPACES_ZERO_GPU": "false", "SPACE_ID": "someone/space"}) is None


def test_a_zero_gpu_space_without_the_package_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "spaces", None)
    with pytest.raises(MissingExtra, match="Add a line 'spaces' to requirements.txt"):
        zero_gpu({"SPACES_ZERO_GPU": "true"})


def test_spaces_comes_before_torch():
    code = "import sys, studio.server.zero_gpu, studio.server.hosting; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, timeout=120).returncode == 0


def test_all_models_of_a_run_share_one_call_and_give_the_same_pictures(remote, spaces, checkpoints, image):
    *_, outputs = items = run(remote, image, ["cascade", "ar_cnn", "plain"])
    assert isinstance(outputs, StageOutputs)
    expected = end_of(Zoo(checkpoints, "cpu"), image, ["cascade", "ar_cnn", "plain"])
    assert [names for names, _, _ in spaces.calls] == [("ar_cnn", "cascade")]
    assert list(outputs.restorations) == ["plain", "ar_cnn", "cascade"]
    for name, restoration in expected.restorations.items():
        np.testing.assert_array_equal(outputs.restorations[name].pixels, restoration.pixels)
        assert outputs.restorations[name].steered_by == restoration.steered_by
    assert {item.model_name for item in items if isinstance(item, Progress) and item.done} >= {
        "cascade",
        "ar_cnn",
    }
    assert sum(isinstance(item, StageOutputs) for item in items) == 4


def test_what_is_known_is_not_asked_for_again(remote, spaces, image):
    cache = ResultCache(2**26)
    run(remote, image, ["ar_cnn"], cache)
    run(remote, image, ["ar_cnn", "cascade"], cache)
    run(remote, image, ["ar_cnn", "cascade", "reapply"], cache)
    assert [names for names, _, _ in spaces.calls] == [("ar_cnn",), ("cascade",)]


def test_settings_reach_the_models(remote, image, zoo):
    outputs = end_of(remote, image, ["cascade", "ar_cnn"], options=RestoreOptions("manual", 45))
    expected = zoo.load("cascade").restore(image, RestoreOptions("manual", 45))
    np.testing.assert_array_equal(outputs.restorations["cascade"].pixels, expected.pixels)


def test_one_model_that_fails_leaves_the_others_alone(remote, image):
    outputs = end_of(remote, image, ["cascade", "ar_cnn"], options=RestoreOptions(stages=3))
    assert set(outputs.failures) == {"ar_cnn"}
    assert "3 stages were asked" in outputs.failures["ar_cnn"]
    assert "cascade" in outputs.restorations


def test_a_quota_that_is_used_up_is_one_sentence(remote, spaces, image):
    spaces.error = ValueError("You have exceeded your GPU quota")
    outputs = end_of(remote, image, ["cascade", "ar_cnn"])
    assert set(outputs.failures) == {"cascade", "ar_cnn"}
    assert "exceeded your GPU quota" in outputs.failures["ar_cnn"]


def test_stop_ends_a_run(remote, image):
    stop = Event()
    engine = Engine(remote, ResultCache(2**26))
    with pytest.raises(RestorationError, match="Stopped"):
        for item in engine.run_stages(image, RestoreRequest("key", ("cascade", "ar_cnn")), stop):
            if isinstance(item, StageOutputs) and item.restorations:
                stop.set()


def test_the_call_knows_for_whose_request_it_is(remote, spaces, image):
    token = REQUEST.set("a visitor's")
    try:
        run(remote, image, ["cascade"])
    finally:
        REQUEST.reset(token)
    assert [request for _, _, request in spaces.calls] == ["a visitor's"]


def test_sweeps_and_games_call_one_by_one(remote, spaces, image, zoo):
    restorer = remote.load("cascade")
    assert isinstance(restorer, RemoteRestorer)
    tiles = []
    restored = restorer.restore(
        image, RestoreOptions("pixels"), lambda done, total, part=None: tiles.append((done, total))
    )
    np.testing.assert_array_equal(
        restored.pixels, zoo.load("cascade").restore(image, RestoreOptions("pixels")).pixels
    )
    assert tiles == [(1, 1)]
    assert len(spaces.calls) == 1
    assert remote.load("cascade") is restorer


def test_time_is_asked_for_by_megapixels_and_models(remote, image, photograph):
    cards = [remote.load(name).card for name in ("ar_cnn", "cascade")]
    one, two = seconds_for(cards[:1], image), seconds_for(cards, image)
    larger = encode(np.tile(photograph.image.pixels, (20, 20, 1)), Save(50))
    assert one < two < seconds_for(cards, larger) < MOST_SECONDS
    assert seconds_for(cards * 100, larger) == MOST_SECONDS


def test_a_broken_checkpoint_does_not_keep_the_space_from_starting(checkpoints, spaces, tmp_path, image):
    for name in ("cascade", "ar_cnn"):
        (tmp_path / name).mkdir()
        for path in (checkpoints / name).iterdir():
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    (tmp_path / "cascade" / "weights.safetensors").write_bytes(b"broken")
    remote = ZeroGpuZoo(tmp_path, spaces, device="cpu")
    outputs = end_of(remote, image, ["cascade", "ar_cnn"])
    assert "damaged" in outputs.failures["cascade"]
    assert "ar_cnn" in outputs.restorations
    (tmp_path / "late").mkdir()
    for path in (checkpoints / "ar_cnn").iterdir():
        text = path.read_bytes()
        (tmp_path / "late" / path.name).write_bytes(text.replace(b"name: ar_cnn", b"name: late"))
    with pytest.raises(UnknownModel, match="Restart it"):
        remote.load("late")


def test_pictures_opened_elsewhere_can_be_sent(remote, image):
    from dataclasses import replace

    opened = replace(
        image, read_coefficients=lambda data, header: None
    )  # as little to be pickled as a decoder's
    assert remote.load("cascade").restore(opened).pixels.shape == image.pixels.shape
