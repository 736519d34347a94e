"""Measuring many models on many data sets, one after the other, every result kept as soon as it is there."""

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from models.card import read_card
from models.errors import InvalidSetting
from models.network_restorer import NetworkRestorer, bfloat16_is_fast
from models.restorer import Restorer
from models.zoo import CARD_FILE, Zoo
from training.evaluation.benchmarks import Case, Condition
from training.evaluation.score_files import SCORES_FILE, ScoreFile, Setting, weights_of
from training.evaluation.scoring import (
    Follow,
    Options,
    PlainDecodings,
    Row,
    cost_of,
    decode_plainly,
    just_iterate,
    score_one,
)
from training.evaluation.uncompressed import CONVENTION as CONVENTION_UNCOMPRESSED
from training.evaluation.uncompressed import ChangeRow, score_uncompressed


@dataclass(frozen=True, eq=False)
class Subject:
    """A model that is to be measured.

    Attributes:
        name: of the model.
        open_scores: where the scores of the weights that lie there now are kept.
        load: makes it ready to run, with the weights that lie there now.
    """

    name: str
    open_scores: Callable[[], ScoreFile]
    load: Callable[[], Restorer]


@dataclass(frozen=True, eq=False)
class DataSet:
    """Pictures, and what is measured on them.

    Attributes:
        setting: under which the results are kept.
        conditions: from training.evaluation.benchmarks.
        uncompressed: makes the pictures that are handed over as they are; None where that is not asked.
        slow: compute the slow metrics too.
        plain: plain decodings by label, filled when first needed, so that they are worked out once for all models.
    """

    setting: Setting
    conditions: Sequence[Condition]
    uncompressed: Callable[[], Iterator[Case]] | None = None
    slow: bool = False
    plain: dict[str, PlainDecodings] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        """How restorers are run and compared."""
        return Options(self.setting.color, self.setting.blind, self.setting.stages, self.slow)


def shipped(checkpoints: Path, name: str, device: str | None) -> Subject:
    """A checkpoint as it is shipped; its scores go to scores.json.

    Args:
        checkpoints: where it is.
        name: of the checkpoint.
        device: see Zoo. Every loading has a zoo of its own, so that memory is free again afterwards.
    """
    folder = checkpoints / name

    def open_scores() -> ScoreFile:
        return ScoreFile(folder / SCORES_FILE, weights_of(folder, read_card(folder / CARD_FILE)))

    return Subject(name, open_scores, lambda: Zoo(checkpoints, device).load(name))


def measure_subject(
    subject: Subject, data: DataSet, *, missing: bool = False, follow: Follow = just_iterate
) -> Iterator[Row | ChangeRow]:
    """Measure one model on one data set; each result is in its score file before it is handed out.

    Args:
        subject: the model.
        data: the pictures and conditions.
        missing: leave out what was measured of the very same weights, in the same setting by the same convention,
            with the restorer's guard and without.
        follow: see Follow.

    Yields:
        A Row per condition, and a ChangeRow for pictures that were never compressed.

    Raises:
        RestorationError: a model or a picture that cannot be used.
    """
    file = subject.open_scores()
    found = file.found(data.setting)
    have = found.conditions(data.options.metrics) if missing else set()
    todo = [condition for condition in data.conditions if condition.label not in have]
    untouched_too = data.uncompressed and not (missing and found.tells_never_compressed)
    if not todo and not untouched_too:
        return
    restorer = subject.load()
    if subject.open_scores().weights != file.weights:
        raise InvalidSetting(
            f"The weights of {subject.name!r} were replaced while they were loaded. Scores belong to known weights. "
            "Measure again with --missing."
        )
    cost = cost_of(restorer, data.options)
    on = {"machine": machine_of(restorer)}
    for condition in todo:
        if condition.label not in data.plain:
            data.plain[condition.label] = decode_plainly(condition, data.options, follow=follow)
        plain = data.plain[condition.label]
        row = score_one(restorer, condition, plain, cost, data.options, follow=follow)
        rows = [plain.row.as_json() | on, row.as_json() | on]
        file.add(data.setting, rows=rows)
        yield row
    if untouched_too:
        change = score_uncompressed(restorer, data.uncompressed, data.options, follow=follow)
        kept = {"convention": CONVENTION_UNCOMPRESSED} | change.as_json() | on
        file.add(data.setting, never_compressed=kept)
        yield change


def machine_of(restorer: Restorer | None) -> str:
    """Where a restorer, or plain decoding, runs, for people: device, threads, version of torch."""
    torch_version = f"torch {torch.__version__}"
    if isinstance(restorer, NetworkRestorer) and restorer.device.type == "cuda":
        return f"{torch.cuda.get_device_name(restorer.device)}, {torch_version}"
    threads = torch.get_num_threads()
    units = ", bfloat16 units" * bfloat16_is_fast(torch.device("cpu"))
    return f"{_processor()}, {threads} thread{'s' * (threads > 1)}{units}, {torch_version}"


def _processor() -> str:
    """The processor's name as Linux tells it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
