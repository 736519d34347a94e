"""TrainConfig: everything a training run depends on, read from YAML and saved beside the weights."""

import contextlib
import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from models.errors import InvalidSetting
from models.jpeg import DegradationRange


@dataclass(frozen=True)
class DataConfig:
    """What the network sees.

    Attributes:
        train: folders below the data root, or "skimage" for scikit-image's own photographs.
        validation: one such folder.
        patch_sizes: sides of the square patches, one per equal part of the run; multiples of 16.
        batch_sizes: patches per step, one per entry of patch_sizes.
        workers: processes that draw and compress patches; 0 does it in the trainer's process.
        textured_share: share of patches that are the more textured of two candidates.
        shrunk_share: share of patches that are shrunk 1 to 1.6 times first.
        drawn_share: share of patches from rendered text and flat graphics.
        uncompressed_share: share of patches that are not compressed at all.
        validation_size: side of the central crop of each validation picture; a multiple of 16.
        planes: train on single planes (Y, and Cb, Cr at their own size) and their coefficients instead of RGB.
    """

    train: tuple[str, ...] = ("train", "train_bsds")
    validation: str = "validation"
    patch_sizes: tuple[int, ...] = (96,)
    batch_sizes: tuple[int, ...] = (24,)
    workers: int = 1
    textured_share: float = 0.6
    shrunk_share: float = 0.25
    drawn_share: float = 0.05
    uncompressed_share: float = 0.02
    validation_size: int = 256
    planes: bool = False


@dataclass(frozen=True)
class LossConfig:
    """What is minimised.

    Attributes:
        stage_weights: weights of the last stages' pictures, the last one last; stages before them do not count.
        frequency: weight of the L1 distance between Fourier transforms of the last picture.
        quality: weight of the mean absolute error of the quality factor, divided by 100.
        perceptual: weight of the VGG feature distance; needs torchvision and its weights.
        squared_share: last share of the run in which the squared error replaces Charbonnier's.
        logarithmic: take the logarithm of each picture's squared error, as PSNR does.
    """

    stage_weights: tuple[float, ...] = (0.25, 0.25, 1.0)
    frequency: float = 0.05
    quality: float = 0.05
    perceptual: float = 0.0
    squared_share: float = 0.15
    logarithmic: bool = False


@dataclass(frozen=True)
class OptimizerConfig:
    """How it is minimised.

    Attributes:
        steps: length of the run; the learning rate's schedule always completes.
        minutes: wall-clock budget, or None.
        petaflop: budget of training operations, 6 for every multiply-accumulate of the forward pass (multiply and add,
            forward once and backward twice), in units of 1e15, or None. Whichever budget is used up first ends
            the run.
        method: "adamw", or "muon" for orthogonalized updates of hidden layers; see training.optimizers.
        learning_rate: peak of the learning rate.
        final_learning_rate: where the cosine ends.
        warmup_steps: linear warm-up.
        weight_decay: decoupled from the gradient.
        clip: largest gradient norm.
        ema: decay of the averaged weights, which are the ones validated and shipped.
    """

    steps: int = 100_000
    minutes: float | None = None
    petaflop: float | None = None
    method: str = "adamw"
    learning_rate: float = 1e-3
    final_learning_rate: float = 1e-6
    warmup_steps: int = 400
    weight_decay: float = 1e-4
    clip: float = 1.0
    ema: float = 0.999


@dataclass(frozen=True)
class RuntimeConfig:
    """Where and how fast.

    Attributes:
        precision: "bf16" for autocast, "fp32".
        compile: use torch.compile.
        channels_last: memory format of pictures and weights.
        validate_every: steps between validations.
        save_every: steps between checkpoints for resuming.
        log_every: steps between training events.
    """

    precision: str = "bf16"
    compile: bool = True
    channels_last: bool = True
    validate_every: int = 1000
    save_every: int = 500
    log_every: int = 50


@dataclass(frozen=True)
class TrainConfig:
    """One training run.

    Attributes:
        name: of the checkpoint it makes, letters, digits, - and _.
        architecture: key of models.zoo.ARCHITECTURES.
        hyperparameters: keyword arguments of the architecture.
        card: prose of the checkpoint's card: title, summary, paper, licence, training.
        seed: of weights and data.
        start_from: weights.safetensors to begin with, or "".
        tables_dropped_share: share of patches whose quantization tables are hidden from the network.
        true_quality_share: share of patches steered by their true quality factor, not by the estimate.
        degradations: how patches are broken.
    """

    name: str
    architecture: str
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    card: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    start_from: str = ""
    tables_dropped_share: float = 0.5
    true_quality_share: float = 0.5
    degradations: DegradationRange = field(default_factory=DegradationRange)
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    runtime: RuntimeConfig = field(default_factory=RuntimeConfig)

    @classmethod
    def from_yaml(cls, path: Path | str) -> "TrainConfig":
        """Read and check a configuration.

        Raises:
            InvalidSetting: with every problem found, and the known keys where one is unknown.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSetting(
                f"The configuration {path} cannot be read ({error}). A YAML text file is needed. "
                "Start from one in training/configs."
            ) from None
        return cls.from_text(text, str(path))

    @classmethod
    def from_text(cls, text: str, origin: str = "configuration") -> "TrainConfig":
        """Like from_yaml, for a text; `origin` names it in messages."""
        try:
            values = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InvalidSetting(
                f"{origin} is no valid YAML: {error}. Keys and values as in training/configs are allowed. "
                "Correct the line named and try again."
            ) from None
        problems: list[str] = []
        config = _build(cls, values, "", problems)
        if config is not None:
            problems += _problems(config)
        if problems:
            raise InvalidSetting(
                f"{origin} has {len(problems)} problem{'s' * (len(problems) > 1)}:\n  - "
                + "\n  - ".join(problems)
                + "\nKeys and ranges are described in training/config.py. Correct the file and start again."
            )
        return config

    def to_yaml(self) -> str:
        """The whole configuration, defaults included, as YAML that from_text reads back."""
        return yaml.safe_dump(
            _plain(dataclasses.asdict(self)), sort_keys=False, allow_unicode=True, width=110
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _build(kind: type, values: Any, where: str, problems: list[str]) -> Any:
    """Make one dataclass from a mapping; append what is wrong to `problems` and return None."""
    if not isinstance(values, Mapping):
        problems.append(f"{where or 'the top level'}: a mapping is needed, not {values!r}")
        return None
    hints = typing.get_type_hints(kind)
    known = {item.name: item for item in dataclasses.fields(kind)}
    before = len(problems)
    for key in values:
        if key not in known:
            problems.append(f"{where}{key}: unknown key; known here are {', '.join(known)}")
    arguments = {}
    for name, item in known.items():
        required = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if name not in values:
            if required:
                problems.append(f"{where}{name}: missing")
            continue
        arguments[name] = _convert(hints[name], values[name], f"{where}{name}", problems)
    if len(problems) > before:
        return None
    try:
        return kind(**arguments)
    except (InvalidSetting, ValueError, TypeError) as error:
        problems.append(f"{where or 'configuration'}: {error}")
        return None


def _convert(hint: Any, value: Any, where: str, problems: list[str]) -> Any:
    """The value as the type of its field, or a problem."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where + ".", problems)
    if type(None) in parts:
        return None if value is None else _convert(parts[0], value, where, problems)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            problems.append(f"{where}: a list is needed, not {value!r}")
            return ()
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
        if len(kinds) != len(value):
            problems.append(f"{where}: {len(kinds)} values are needed, not {value!r}")
            return ()
        return tuple(_convert(part, item, where, problems) for part, item in zip(kinds, value, strict=True))
    if origin is dict:
        if not isinstance(value, Mapping):
            problems.append(f"{where}: a mapping is needed, not {value!r}")
        return value
    if hint is float and isinstance(value, str):  # YAML 1.1 reads 1e-3 as text
        with contextlib.suppress(ValueError):
            value = float(value)
    accepted = (int, float) if hint is float else hint
    wrong = not isinstance(value, accepted) or (isinstance(value, bool) and hint is not bool)
    if wrong or (isinstance(value, float) and not math.isfinite(value)):
        problems.append(f"{where}: {hint.__name__} is needed, not {value!r}")
    return value


def _problems(config: TrainConfig) -> list[str]:
    """What the types cannot say."""
    data, loss, optimizer, runtime = config.data, config.loss, config.optimizer, config.runtime
    found = []

    def need(fine: bool, sentence: str) -> None:
        if not fine:
            found.append(sentence)

    name = config.name.replace("-", "").replace("_", "")
    need(
        name.isascii() and name.isalnum(), f"name: letters, digits, - and _ are allowed, not {config.name!r}"
    )
    for group, fields in (
        (config, ("tables_dropped_share", "true_quality_share")),
        (data, ("textured_share", "shrunk_share", "drawn_share", "uncompressed_share")),
        (loss, ("squared_share",)),
    ):
        for each in fields:
            need(0 <= getattr(group, each) <= 1, f"{each}: 0 to 1 is allowed, not {getattr(group, each)}")
    need(bool(data.train), "data.train: at least one folder is needed")
    need(bool(data.patch_sizes), "data.patch_sizes: at least one is needed")
    need(
        all(size >= 32 and size % 16 == 0 for size in (*data.patch_sizes, data.validation_size)),
        "data.patch_sizes, validation_size: multiples of 16 from 32 up are allowed",
    )
    need(
        len(data.patch_sizes) == len(data.batch_sizes),
        "data.batch_sizes: one for each of patch_sizes is needed",
    )
    need(all(size >= 1 for size in data.batch_sizes), "data.batch_sizes: 1 or more is allowed")
    need(0 <= data.workers <= 64, "data.workers: 0 to 64 is allowed")
    need(optimizer.steps >= 1, "optimizer.steps: 1 or more is allowed")
    need(optimizer.minutes is None or optimizer.minutes > 0, "optimizer.minutes: above 0, or null")
    need(optimizer.petaflop is None or optimizer.petaflop > 0, "optimizer.petaflop: above 0, or null")
    need(optimizer.method in ("adamw", "muon"), f"optimizer.method: adamw or muon, not {optimizer.method!r}")
    need(0 < optimizer.learning_rate <= 1, "optimizer.learning_rate: above 0, at most 1")
    need(0 <= optimizer.ema < 1, "optimizer.ema: 0 up to below 1")
    need(optimizer.clip > 0, "optimizer.clip: above 0")
    need(
        bool(loss.stage_weights) and min(loss.stage_weights) >= 0,
        "loss.stage_weights: one or more, 0 or above",
    )
    need(min(loss.frequency, loss.quality, loss.perceptual) >= 0, "loss weights: 0 or above")
    need(runtime.precision in ("bf16", "fp32"), f"runtime.precision: bf16 or fp32, not {runtime.precision!r}")
    for each in ("validate_every", "save_every", "log_every"):
        need(getattr(runtime, each) >= 1, f"runtime.{each}: 1 or more is allowed")
    return found
