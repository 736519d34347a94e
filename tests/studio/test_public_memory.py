"""A model that runs out of memory outside its tiles is one sentence, and the next model runs."""

from dataclasses import dataclass, replace

import pytest
import torch

from models.baselines import PlainDecoding
from models.card import ModelCard
from models.restorer import AUTOMATIC
from studio.engine.cache import ResultCache
from studio.engine.engine import Engine
from studio.server.files import PictureFolder
from studio.session.form import RestoreForm
from tests.present import present
from tests.studio.visitor import Visitor


@dataclass(frozen=True, eq=False)
class Hungry:
    """A restorer that never has enough."""

    card: ModelCard
    problem: Exception

    def restore(self, image, options=AUTOMATIC, on_tile=None):
        raise self.problem


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes."),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_no_memory_is_one_sentence_and_the_next_model_runs(zoo, tmp_path, photograph, monkeypatch, problem):
    hungry = Hungry(replace(PlainDecoding().card, name="plain"), problem)
    load = zoo.load
    monkeypatch.setattr(zoo, "load", lambda name: hungry if name == "plain" else load(name))
    form = RestoreForm(door="experiment", model_names=["plain", "reapply"])
    visitor = Visitor(Engine(zoo, ResultCache(2**20)), PictureFolder(tmp_path, 600), form)
    *_, last, _ = visitor.restore(photograph)
    rows = {row["id"]: row for row in present(last.results)["rows"]}
    assert rows["reapply"]["state"] == "done"
    said = str(rows["plain"])
    assert "ran out of memory" in said and "smaller picture" in said and "unforeseen" not in said
