"""TrainConfig: everything a training run depends on, read from YAML and saved beside the weights."""

import dataclasses
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from models.bounded_reading import read_at_most
from models.errors import InvalidSetting
from training.config_reading import LARGEST_TEXT_BYTES, build, nearest, read_yaml
from training.degradation_range import DegradationRange
from training.setting import required, setting

CARD_KEYS = ("title", "summary", "paper", "licence", "training")
"""What a configuration may say for the card of its checkpoint; the rest follows from the network and the run."""

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
"""Names of runs and checkpoints, which are folder names as well."""

NAME_IN_WORDS = "1 to 64 letters, digits, - and _, a letter or digit first"

MANY_STEPS = 100_000_000
MOST_PIXELS_AT_ONCE = 2**28
"""Of the patches that one process or several work through together at once."""
SHARE = {"lowest": 0, "highest": 1}


def architecture_names() -> tuple[str, ...]:
    """The keys of models.zoo.ARCHITECTURES; looked up late, because networks need torch."""
    from models.zoo import ARCHITECTURES

    return tuple(ARCHITECTURES)


@dataclass(frozen=True)
class DataConfig:
    """What the network sees."""

    train: tuple[str, ...] = setting(
        ("train", "train_bsds"),
        "folders of clean photographs: names below the data folder, whole paths, or skimage for scikit-image's own",
    )
    folder_shares: tuple[float, ...] = setting(
        (), "share of patches from each folder of train; empty goes by the pictures' sizes", **SHARE
    )
    grainy_shares: tuple[float, ...] = setting(
        (),
        "share of each folder's patches that get film grain, noise or sharpening; needs folder_shares",
        **SHARE,
    )
    validation: str = setting("validation", "one such folder, of photographs that are not trained on")
    patch_sizes: tuple[int, ...] = setting(
        (96,),
        "sides of the square patches, one per equal part of the run",
        unit="pixels",
        lowest=32,
        highest=1024,
        multiple_of=16,
    )
    batch_sizes: tuple[int, ...] = setting(
        (24,),
        "patches per step, of all processes together; one entry per patch size",
        unit="patches",
        lowest=1,
        highest=65_536,
    )
    workers: int = setting(
        1,
        "processes that draw and compress patches; 0 does it between the steps",
        unit="processes",
        lowest=0,
        highest=64,
    )
    textured_share: float = setting(
        0.6, "share of patches that are the more textured of two candidates", **SHARE
    )
    shrunk_share: float = setting(0.25, "share of patches that are shrunk 1 to 1.6 times first", **SHARE)
    drawn_share: float = setting(0.05, "share of patches from rendered text and flat graphics", **SHARE)
    uncompressed_share: float = setting(0.02, "share of patches that are not compressed at all", **SHARE)
    validation_size: int = setting(
        256,
        "side of the central crop of each validation photograph",
        unit="pixels",
        lowest=32,
        highest=2048,
        multiple_of=16,
    )


@dataclass(frozen=True)
class LossConfig:
    """What is minimised."""

    stage_weights: tuple[float, ...] = setting(
        (0.25, 0.25, 1.0),
        "weights of the last stages' pictures, the last one last; stages before them do not count",
        lowest=0,
        highest=1000,
    )
    frequency: float = setting(
        0.05,
        "weight of the L1 distance between Fourier transforms of the last picture",
        lowest=0,
        highest=1000,
    )
    quality: float = setting(
        0.05,
        "weight of the mean absolute error of the quality factor, divided by 100",
        lowest=0,
        highest=1000,
    )
    perceptual: float = setting(
        0.0, "weight of the VGG feature distance; needs torchvision and its weights", lowest=0, highest=1000
    )
    squared_share: float = setting(
        0.15, "last share of the run in which the squared error replaces Charbonnier's", **SHARE
    )
    logarithmic: bool = setting(False, "take the logarithm of each picture's squared error, as PSNR does")
    teacher: str = setting(
        "",
        "folder of a checkpoint to learn from, such as checkpoints/cascade; empty learns from photographs alone",
    )
    teacher_share: float = setting(
        0.7, "how much of the target is what the teacher restores, the rest being the photograph", **SHARE
    )


@dataclass(frozen=True)
class OptimizerConfig:
    """How it is minimised; whichever of the three budgets is used up first ends the run.

    A petaflop is 1e15 training operations: 6 for every multiply-accumulate of the forward pass (multiply and add,
    forward once and backward twice).
    """

    steps: int = setting(
        100_000,
        "length of the run; the learning rate's schedule always completes",
        unit="steps",
        lowest=1,
        highest=MANY_STEPS,
    )
    minutes: float | None = setting(
        None, "wall-clock budget of training and validation", unit="minutes", above=0, highest=1_000_000
    )
    petaflop: float | None = setting(
        None, "budget of training operations", unit="1e15 operations", above=0, highest=1e9
    )
    method: str = setting(
        "adamw",
        "how weights are updated; muon orthogonalizes the updates of hidden layers",
        choices=("adamw", "muon"),
    )
    learning_rate: float = setting(1e-3, "peak of the learning rate", above=0, highest=1)
    final_learning_rate: float = setting(1e-6, "where the learning rate's cosine ends", lowest=0, highest=1)
    warmup_steps: int = setting(400, "linear warm-up", unit="steps", lowest=0, highest=MANY_STEPS)
    weight_decay: float = setting(1e-4, "decoupled from the gradient", lowest=0, highest=10)
    clip: float = setting(
        1.0, "largest gradient norm; longer gradients are shortened to it", above=0, highest=1e9
    )
    ema: float = setting(
        0.999, "decay of the averaged weights, which are the ones validated and shipped", lowest=0, below=1
    )
    frozen: tuple[str, ...] = setting(
        (),
        "parts of the network that keep their weights, by how the names of those begin, such as luma; "
        "petaflop counts them all the same",
    )
    accumulation: int = setting(
        1,
        "parts that a step's batch is worked through in, one after the other, to fit into memory",
        unit="parts",
        lowest=1,
        highest=4096,
    )


@dataclass(frozen=True)
class RuntimeConfig:
    """Where and how fast."""

    precision: str = setting(
        "bf16",
        "of convolutions; bf16 is half precision by autocast where the device has units for it, else fp32",
        choices=("bf16", "fp32"),
    )
    compile: bool = setting(True, "use torch.compile; the first step then takes a minute")
    channels_last: bool = setting(True, "memory format of pictures and weights")
    validate_every: int = setting(1000, "distance of validations", unit="steps", lowest=1, highest=MANY_STEPS)
    save_every: int = setting(
        500, "distance of checkpoints for resuming", unit="steps", lowest=1, highest=MANY_STEPS
    )
    log_every: int = setting(50, "distance of training events", unit="steps", lowest=1, highest=MANY_STEPS)
    tensorboard: bool = setting(False, "write events for TensorBoard as well; needs the package tensorboard")


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    name: str = required(
        "name of the run and of the checkpoint it makes", pattern=NAME_PATTERN, pattern_in_words=NAME_IN_WORDS
    )
    architecture: str = required("the network", choices=architecture_names)
    hyperparameters: dict[str, Any] = setting({}, "keyword arguments of the network")
    card: dict[str, Any] = setting(
        {}, "prose of the checkpoint's card: title, summary, paper, licence, training"
    )
    seed: int = setting(0, "seed of weights and data", lowest=0, highest=2**32 - 1)
    start_from: str = setting("", "weights.safetensors to begin with; empty begins with random weights")
    tables_dropped_share: float = setting(
        0.5, "share of patches whose quantization tables are hidden from the network", **SHARE
    )
    true_quality_share: float = setting(
        0.5, "share of patches steered by their true quality factor, not by the network's estimate", **SHARE
    )
    degradations: DegradationRange = field(default_factory=DegradationRange)
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    runtime: RuntimeConfig = field(default_factory=RuntimeConfig)

    @classmethod
    def from_yaml(cls, path: Path | str) -> "TrainConfig":
        """Read and check a configuration.

        Raises:
            InvalidSetting: with every problem found, and the nearest known key where one is unknown.
        """
        try:
            text = read_at_most(Path(path), LARGEST_TEXT_BYTES).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSetting(
                f"The configuration {path} cannot be read ({error}). A YAML text file is needed. "
                "Start from one in training/configs."
            ) from None
        return cls.from_text(text, str(path))

    @classmethod
    def from_text(cls, text: str, origin: str = "configuration") -> "TrainConfig":
        """Like from_yaml, for a text; `origin` names it in messages."""
        config, problems = read_config(text, origin)
        if config is None:
            raise InvalidSetting(
                f"{origin} has {len(problems)} problem{'s' * (len(problems) > 1)}:\n  - "
                + "\n  - ".join(problems)
                + "\nEach line says what is allowed; python -m training.schema describes all settings. "
                "Correct the lines named and start again."
            )
        return config

    def to_yaml(self) -> str:
        """The whole configuration, defaults included, as YAML that from_text reads back."""
        return dumped(_plain(dataclasses.asdict(self)))


def dumped(values: Any) -> str:
    """YAML in the one form in which configurations are written here."""
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)


def read_config(text: str, origin: str = "configuration") -> tuple[TrainConfig | None, list[str]]:
    """The configuration, or None and every problem found, each beginning with the path of its setting.

    Args:
        text: YAML.
        origin: names the text in a message.

    Raises:
        InvalidSetting: the text is no YAML, or too long, or holds what no configuration needs.
    """
    values = _without_planes(read_yaml(text, origin))
    problems: list[str] = []
    config = build(TrainConfig, values, "", problems)
    if config is not None:
        problems += _problems_across_fields(config)
    return (None if problems else config), problems


def _without_planes(values: Any) -> Any:
    """YAML values without the setting data.planes of earlier versions: the network's color rule decides it."""
    data = values.get("data") if isinstance(values, dict) else None
    if isinstance(data, dict) and isinstance(data.get("planes"), bool):
        return {**values, "data": {key: value for key, value in data.items() if key != "planes"}}
    return values


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _problems_across_fields(config: TrainConfig) -> list[str]:
    """What neither the type nor the range of a single field can say."""
    data, loss, optimizer = config.data, config.loss, config.optimizer
    found = _network_problems(config)

    def need(fine: bool, sentence: str) -> None:
        if not fine:
            found.append(sentence)

    for key in config.card:
        need(key in CARD_KEYS, f"card.{key}: unknown key; {nearest(str(key), CARD_KEYS)}")
    need(
        all(isinstance(text, str) for text in config.card.values()),
        "card: texts are needed, such as title: Mine",
    )
    need(bool(data.train), "data.train: at least one folder is needed")
    shares = data.folder_shares
    need(
        not shares or (len(shares) == len(data.train) and sum(shares) > 0),
        f"data.folder_shares: one for each of the {len(data.train)} folders of data.train is needed, at least one "
        "above 0, or none at all",
    )
    need(
        not data.grainy_shares or len(data.grainy_shares) == len(shares),
        "data.grainy_shares: one for each of data.folder_shares is needed, or none at all",
    )
    need(bool(data.patch_sizes), "data.patch_sizes: at least one is needed")
    need(
        len(data.patch_sizes) == len(data.batch_sizes),
        f"data.batch_sizes: one for each of the {len(data.patch_sizes)} patch_sizes is needed, "
        f"not {len(data.batch_sizes)}",
    )
    need(
        all(
            side**2 * size <= MOST_PIXELS_AT_ONCE * optimizer.accumulation
            for side, size in zip(data.patch_sizes, data.batch_sizes, strict=False)
        ),
        f"data.batch_sizes: more than {MOST_PIXELS_AT_ONCE // 10**6} megapixels of patches at once; fewer, smaller "
        "ones, or a larger optimizer.accumulation are needed",
    )
    need(
        all(size % optimizer.accumulation == 0 for size in data.batch_sizes),
        f"data.batch_sizes: multiples of optimizer.accumulation, {optimizer.accumulation}, are needed",
    )
    need(
        bool(loss.stage_weights) and max(loss.stage_weights) > 0,
        "loss.stage_weights: one or more are needed, at least one above 0",
    )
    return found


def _network_problems(config: TrainConfig) -> list[str]:
    """What does not fit the chosen network."""
    from models.zoo import ARCHITECTURES

    known = inspect.signature(ARCHITECTURES[config.architecture]).parameters
    return [
        f"hyperparameters.{key}: unknown key; {nearest(key, known)}"
        for key in config.hyperparameters
        if key not in known
    ]
