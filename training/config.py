"""TrainConfig: everything a training run depends on, read from YAML and saved beside the weights."""

import dataclasses
import inspect
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)
from pydantic.config import JsonDict

from models.card import with_license
from models.errors import InvalidSetting
from training.config_text import (
    BASE,
    FROM_TEXT,
    Entries,
    Number,
    Share,
    Weight,
    dumped,
    nearest,
    problems_in,
    read_file,
    read_yaml,
    setting,
    settings,
)
from training.degradation_range import DegradationRange

CARD_KEYS = ("title", "summary", "paper", "license", "training")
"""What a configuration may say for the card of its checkpoint; the rest follows from the network and the run."""

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"
"""Names of runs and checkpoints, which are folder names as well."""

NAME_IN_WORDS = "1 to 64 letters, digits, - and _, a letter or digit first"

MAX_STEPS = 100_000_000
MAX_PIXELS_AT_ONCE = 2**28
"""Of the patches that one process or several work through together at once."""


def architecture_names() -> tuple[str, ...]:
    """The keys of models.zoo.ARCHITECTURES; looked up late, because networks need torch."""
    from models.zoo import ARCHITECTURES

    return tuple(ARCHITECTURES)


def _known_architecture(name: str) -> str:
    if name not in architecture_names():
        raise ValueError("there is no such architecture")
    return name


def _list_architectures(schema: JsonDict) -> None:
    schema["enum"] = list(architecture_names())


@settings
class DataConfig:
    """What the network sees."""

    train: Entries[StrictStr] = setting(
        ("train", "train_bsds"),
        "folders of clean photographs: names below the data folder, whole paths, or skimage for scikit-image's own",
    )
    folder_shares: Entries[Share] = setting(
        (), "share of patches from each folder of train; empty goes by the pictures' sizes"
    )
    grainy_shares: Entries[Share] = setting(
        (), "share of each folder's patches that get film grain, noise or sharpening; needs folder_shares"
    )
    validation: StrictStr = setting("validation", "one such folder, of photographs that are not trained on")
    patch_sizes: Entries[Annotated[StrictInt, Field(ge=32, le=1024, multiple_of=16)]] = setting(
        (96,), "sides of the square patches, one per equal part of the run", unit="pixels"
    )
    batch_sizes: Entries[Annotated[StrictInt, Field(ge=1, le=65_536)]] = setting(
        (24,), "patches per step, of all processes together; one entry per patch size", unit="patches"
    )
    workers: StrictInt = setting(
        1,
        "processes that draw and compress patches; 0 does it between the steps",
        unit="processes",
        ge=0,
        le=64,
    )
    textured_share: Share = setting(0.6, "share of patches that are the more textured of two candidates")
    shrunk_share: Share = setting(0.25, "share of patches that are shrunk 1 to 1.6 times first")
    drawn_share: Share = setting(0.05, "share of patches from rendered text and flat graphics")
    uncompressed_share: Share = setting(0.02, "share of patches that are not compressed at all")
    validation_size: StrictInt = setting(
        256,
        "side of the central crop of each validation photograph",
        unit="pixels",
        ge=32,
        le=2048,
        multiple_of=16,
    )


@settings
class LossConfig:
    """What is minimized."""

    stage_weights: Entries[Weight] = setting(
        (0.25, 0.25, 1.0),
        "weights of the last stages' pictures, the last one last; stages before them do not count",
    )
    frequency: Weight = setting(
        0.05, "weight of the L1 distance between Fourier transforms of the last picture"
    )
    quality: Weight = setting(0.05, "weight of the mean absolute error of the quality factor, divided by 100")
    perceptual: Weight = setting(0.0, "weight of the VGG feature distance; needs torchvision and its weights")
    squared_share: Share = setting(
        0.15, "last share of the run in which the squared error replaces Charbonnier's"
    )
    logarithmic: StrictBool = setting(
        False, "take the logarithm of each picture's squared error, as PSNR does"
    )
    teacher: StrictStr = setting(
        "",
        "folder of a checkpoint to learn from, such as checkpoints/cascade; empty learns from photographs alone",
    )
    teacher_share: Share = setting(
        0.7, "how much of the target is what the teacher restores, the rest being the photograph"
    )


@settings
class OptimizerConfig:
    """How it is minimized; whichever of the three budgets is used up first ends the run.

    A petaflop is 1e15 training operations: 6 for every multiply-accumulate of the forward pass (multiply and add,
    forward once and backward twice).
    """

    steps: StrictInt = setting(
        100_000,
        "length of the run; the learning rate's schedule always completes",
        unit="steps",
        ge=1,
        le=MAX_STEPS,
    )
    minutes: Annotated[StrictFloat, Field(gt=0, le=1_000_000, allow_inf_nan=False), FROM_TEXT] | None = (
        setting(
            None,
            "wall-clock budget of training and validation, counted from the end of the first step: loading, measuring "
            "before it and compiling are free",
            unit="minutes",
        )
    )
    petaflop: Annotated[StrictFloat, Field(gt=0, le=1e9, allow_inf_nan=False), FROM_TEXT] | None = setting(
        None, "budget of training operations", unit="1e15 operations"
    )
    method: Literal["adamw", "muon"] = setting(
        "adamw", "how weights are updated; muon orthogonalizes the updates of hidden layers"
    )
    learning_rate: Number = setting(1e-3, "peak of the learning rate", gt=0, le=1)
    final_learning_rate: Number = setting(1e-6, "where the learning rate's cosine ends", ge=0, le=1)
    warmup_steps: StrictInt = setting(400, "linear warm-up", unit="steps", ge=0, le=MAX_STEPS)
    weight_decay: Number = setting(1e-4, "decoupled from the gradient", ge=0, le=10)
    clip: Number = setting(1.0, "largest gradient norm; longer gradients are shortened to it", gt=0, le=1e9)
    ema: Number = setting(
        0.999, "decay of the averaged weights, which are the ones validated and shipped", ge=0, lt=1
    )
    frozen: Entries[StrictStr] = setting(
        (),
        "parts of the network that keep their weights, by how the names of those begin, such as luma; "
        "petaflop counts them all the same",
    )
    accumulation: StrictInt = setting(
        1,
        "parts that a step's batch is worked through in, one after the other, to fit into memory",
        unit="parts",
        ge=1,
        le=4096,
    )


@settings
class RuntimeConfig:
    """Where and how fast."""

    precision: Literal["bf16", "fp32"] = setting(
        "bf16",
        "of convolutions; bf16 is half precision by autocast where the device has units for it, else fp32",
    )
    compile: StrictBool = setting(True, "use torch.compile; the first step then takes a minute")
    channels_last: StrictBool = setting(True, "memory format of pictures and weights")
    validate_every: StrictInt = setting(1000, "distance of validations", unit="steps", ge=1, le=MAX_STEPS)
    save_every: StrictInt = setting(
        500, "distance of checkpoints for resuming", unit="steps", ge=1, le=MAX_STEPS
    )
    log_every: StrictInt = setting(50, "distance of training events", unit="steps", ge=1, le=MAX_STEPS)
    tensorboard: StrictBool = setting(
        False, "write events for TensorBoard as well; needs the package tensorboard"
    )


@settings
class TrainConfig:
    """One training run."""

    name: Annotated[
        StrictStr,
        Field(
            description="name of the run and of the checkpoint it makes",
            pattern=f"^{NAME_PATTERN}$",
            json_schema_extra={"allowed": NAME_IN_WORDS},
        ),
    ]
    architecture: Annotated[
        StrictStr,
        AfterValidator(_known_architecture),
        Field(description="the network", json_schema_extra=_list_architectures),
    ]
    hyperparameters: dict[StrictStr, Any] = setting({}, "keyword arguments of the network")
    card: Annotated[dict[StrictStr, Any], BeforeValidator(with_license)] = setting(
        {}, "prose of the checkpoint's card: title, summary, paper, license, training"
    )
    seed: StrictInt = setting(0, "seed of weights and data", ge=0, le=2**32 - 1)
    start_from: StrictStr = setting("", "weights.safetensors to begin with; empty begins with random weights")
    start_anew: Entries[StrictStr] = setting(
        (),
        "parts of the network that begin with random weights all the same, by how the names of their tensors begin, "
        "such as globally; those of start_from need not fit them",
    )
    tables_dropped_share: Share = setting(
        0.5, "share of patches whose quantization tables are hidden from the network"
    )
    true_quality_share: Share = setting(
        0.5, "share of patches steered by their true quality factor, not by the network's estimate"
    )
    degradations: DegradationRange = Field(default_factory=DegradationRange)
    data: DataConfig = Field(default_factory=DataConfig)
    loss: LossConfig = Field(default_factory=LossConfig)
    optimizer: OptimizerConfig = Field(default_factory=OptimizerConfig)
    runtime: RuntimeConfig = Field(default_factory=RuntimeConfig)

    @classmethod
    def from_yaml(cls, path: Path | str) -> "TrainConfig":
        """Read and check a configuration file, and those it builds on; see config_text.read_file.

        Raises:
            InvalidSetting: with every problem found, and the nearest known key where one is unknown.
        """
        return cls.from_values(read_file(Path(path)), str(path))

    @classmethod
    def from_text(cls, text: str, origin: str = "configuration") -> "TrainConfig":
        """Like from_yaml, for a text, which has no base; `origin` names it in messages."""
        return cls.from_values(read_yaml(text, origin), origin)

    @classmethod
    def from_values(cls, values: Any, origin: str) -> "TrainConfig":
        """Like from_yaml, for what YAML gave or to_values() gives."""
        config, problems = check(values)
        if config is None:
            raise InvalidSetting(
                f"{origin} has {len(problems)} problem{'s' * (len(problems) > 1)}:\n  - "
                + "\n  - ".join(problems)
                + "\nEach line says what is allowed; python -m training.schema describes all settings. "
                "Correct the lines named and start again."
            )
        return config

    def to_values(self) -> dict[str, Any]:
        """The whole configuration, defaults included, as nested dictionaries."""
        return dataclasses.asdict(self)

    def to_yaml(self) -> str:
        """The same as YAML that from_text reads back."""
        return dumped(self.to_values())


def read_config(text: str, origin: str = "configuration") -> tuple[TrainConfig | None, list[str]]:
    """The configuration, or None and every problem found, each beginning with the path of its setting.

    Args:
        text: YAML.
        origin: names the text in a message.

    Raises:
        InvalidSetting: the text is no YAML, or too long, or holds what no configuration needs.
    """
    return check(read_yaml(text, origin))


def check(values: Any) -> tuple[TrainConfig | None, list[str]]:
    """Like read_config, for what YAML gave."""
    values = _without_planes(values)
    if isinstance(values, dict) and BASE in values:
        without = {key: value for key, value in values.items() if key != BASE}
        return None, [
            f"{BASE}: a path relative to a file of its own, so this text cannot have one; write out what it builds on",
            *check(without)[1],
        ]
    try:
        config = TypeAdapter(TrainConfig).validate_python(values)
    except ValidationError as error:
        return None, problems_in(error, TrainConfig, values)
    problems = [*_network_problems(config), *_problems_across_fields(config)]
    return (None if problems else config), problems


def _without_planes(values: Any) -> Any:
    """YAML values without the setting data.planes of earlier versions: the network's color rule decides it."""
    data = values.get("data") if isinstance(values, dict) else None
    if isinstance(data, dict) and isinstance(data.get("planes"), bool):
        return {**values, "data": {key: value for key, value in data.items() if key != "planes"}}
    return values


def _problems_across_fields(config: TrainConfig) -> list[str]:
    """What neither the type nor the range of a single field can say."""
    data, loss, optimizer = config.data, config.loss, config.optimizer
    found: list[str] = []

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
            side**2 * size <= MAX_PIXELS_AT_ONCE * optimizer.accumulation
            for side, size in zip(data.patch_sizes, data.batch_sizes, strict=False)
        ),
        f"data.batch_sizes: more than {MAX_PIXELS_AT_ONCE // 10**6} megapixels of patches at once; fewer, smaller "
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
