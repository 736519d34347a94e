"""ModelCard: what a checkpoint is, said once; pickers, tables and sliders are drawn from it."""

from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from models.bounded_reading import read_at_most
from models.errors import BrokenCheckpoint
from models.plain_values import LARGEST_NUMBER, is_number, quoted, without_tuples
from models.plain_yaml import load_plain_yaml

COLORS = ("rgb", "ycbcr", "planes", "coefficients")
LARGEST_CARD_BYTES = 100_000
MOST_PROBLEMS = 10
"""Of one card that are told at once."""


@dataclass(frozen=True)
class TrainingFacts:
    """How weights came about, as their training run logged it.

    Attributes:
        config: name of the configuration.
        steps: updates of the weights before the validation that picked them.
        megapixels: of patches until then.
        petaflop: training operations until then in 1e15, 6 for every multiply-accumulate of the forward pass.
        minutes: wall-clock time until then.
        run_petaflop: training operations of the whole run; more than petaflop where an earlier validation was best.
        machines: what it ran on, in order, such as "2 CPU threads".
        validation_db: the score that picked them, a mean PSNR over the validation pictures; networks of single
            planes are validated on luma, all others on RGB.
    """

    config: str
    steps: int
    megapixels: float
    petaflop: float
    minutes: float
    run_petaflop: float
    machines: tuple[str, ...]
    validation_db: float


@dataclass(frozen=True, eq=False)
class ModelCard:
    """Everything people and programs need to know of one model.

    Attributes:
        name: folder name and identifier, such as "cascade".
        title: for people.
        architecture: key of models.zoo.ARCHITECTURES; "" for baselines without a network.
        summary: one or two sentences.
        paper: full citation.
        color: how color is treated: "rgb" (network sees RGB), "ycbcr" (Y, Cb, Cr of the decoded picture
            together), "planes" (Y, Cb, Cr one by one at their own size) or "coefficients" (the same, but from
            the file's DCT coefficients).
        stage_names: names of the stages it shows, in order; empty when there is one result only.
        steerable: True where a quality factor can be set by hand.
        uses_tables: True where the file's quantization tables are an input.
        parameters: trainable parameters; 0 for baselines.
        mmac_per_pixel: 1e6 multiply-accumulates per input pixel; 0 for baselines.
        hyperparameters: keyword arguments of the architecture.
        license: license of the weights.
        training: data and degradations in prose; "" for baselines.
        trained: duration, machine and outcome of the training; None for baselines, and where no run told.
    """

    name: str
    title: str
    architecture: str
    summary: str
    paper: str
    color: str = "rgb"
    stage_names: tuple[str, ...] = ()
    steerable: bool = False
    uses_tables: bool = False
    parameters: int = 0
    mmac_per_pixel: float = 0.0
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    license: str = ""
    training: str = ""
    trained: TrainingFacts | None = None


def read_card(path: Path) -> ModelCard:
    """Read a card.yaml; every problem in it is reported at once.

    Args:
        path: the file.

    Raises:
        BrokenCheckpoint: the file is missing, no YAML mapping, or has missing, unknown or ill-typed entries.
    """
    try:
        entries = load_plain_yaml(read_at_most(path, LARGEST_CARD_BYTES).decode("utf-8"))
    except OSError as problem:
        raise _broken(path, f"it cannot be read ({problem.strerror})") from problem
    except ValueError as problem:
        raise _broken(path, f"it is no YAML ({' '.join(str(problem).split())[:200]})") from problem
    entries = with_license(entries)
    if not isinstance(entries, dict):
        raise _broken(path, f"it holds a {type(entries).__name__} where a mapping of names to values belongs")
    problems = _problems_in(entries)
    if problems:
        more = [f"and {len(problems) - MOST_PROBLEMS} more"] if len(problems) > MOST_PROBLEMS else []
        raise _broken(path, "; ".join([*problems[:MOST_PROBLEMS], *more]))
    entries["stage_names"] = tuple(entries.get("stage_names", ()))
    if "mmac_per_pixel" in entries:
        entries["mmac_per_pixel"] = float(entries["mmac_per_pixel"])
    if entries.get("trained") is not None:
        entries["trained"] = training_facts(entries["trained"])
    return ModelCard(**entries)


def with_license(entries: Any) -> Any:
    """The entries of a card, whose license may be spelled `licence`."""
    if not isinstance(entries, dict) or "license" in entries or "licence" not in entries:
        return entries
    return {"license" if name == "licence" else name: value for name, value in entries.items()}


def training_facts(entries: dict[str, Any]) -> TrainingFacts:
    """Facts from the mapping that asdict() made of them, read back from YAML or JSON.

    Raises:
        ValueError: missing, unknown or ill-typed entries, all of them in one message.
    """
    problems = _problems_in_facts(entries)
    if problems:
        raise ValueError("; ".join(problems))
    facts: dict[str, Any] = entries | {"machines": tuple(entries["machines"])}
    return TrainingFacts(**facts)


def write_card(card: ModelCard, path: Path) -> Path:
    """Write a card as YAML that read_card reads back.

    Args:
        card: what to write.
        path: the file; its folder must exist.

    Returns:
        The path.
    """
    text = yaml.safe_dump(without_tuples(asdict(card)), sort_keys=False, allow_unicode=True, width=100)
    path.write_text(text, encoding="utf-8")
    return path


_TYPES: dict[str, type | tuple[type, ...]] = {
    "stage_names": list,
    "steerable": bool,
    "uses_tables": bool,
    "parameters": int,
    "mmac_per_pixel": (int, float),
    "hyperparameters": dict,
    "trained": (dict, type(None)),
}


def _problems_in(entries: dict) -> list[str]:
    """Everything wrong with the entries of a card, one phrase each."""
    known = {each.name: each for each in fields(ModelCard)}
    required = {name for name, each in known.items() if each.default is each.default_factory is MISSING}
    problems = [f"{quoted(name)} is no entry of a card" for name in entries if name not in known]
    problems += [f"{name!r} is missing" for name in known if name in required and name not in entries]
    for name in known.keys() & entries.keys():
        wanted, value = _TYPES.get(name, str), entries[name]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            problems.append(f"{name!r} is {quoted(value)}, a {type(value).__name__}")
        elif wanted in (int, (int, float)) and not (is_number(value) and value >= 0):
            problems.append(f"{name!r} is {quoted(value)}, not a number from 0 to {LARGEST_NUMBER:.0e}")
    if not problems and not _is_plain(entries.get("hyperparameters", {})):
        problems.append("'hyperparameters' holds more than numbers, texts, lists and mappings")
    if not problems and any(not isinstance(stage, str) for stage in entries.get("stage_names", ())):
        problems.append("'stage_names' holds something that is no text")
    if not problems and entries.get("color", "rgb") not in COLORS:
        problems.append(f"'color' is {quoted(entries['color'])}, not one of {', '.join(COLORS)}")
    if isinstance(entries.get("trained"), dict):
        problems += [f"in 'trained' {problem}" for problem in _problems_in_facts(entries["trained"])]
    return problems


def _is_plain(value: Any) -> bool:
    """Whether JSON could say it; numbers may be any."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _problems_in_facts(entries: Any) -> list[str]:
    """Everything wrong with the entries of TrainingFacts, one phrase each."""
    if not isinstance(entries, dict):
        return [f"a {type(entries).__name__} stands where a mapping of names to values belongs"]
    known = [each.name for each in fields(TrainingFacts)]
    problems = [f"{quoted(name)} is unknown" for name in entries if name not in known]
    for name in known:
        value = entries.get(name)
        if name == "machines":
            sound = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
        elif name == "config":
            sound = isinstance(value, str)
        else:
            wanted = int if name == "steps" else (int, float)
            sound = is_number(value) and isinstance(value, wanted) and (value >= 0 or name == "validation_db")
        if not sound:
            problems.append(f"{name!r} is {quoted(value)}" if name in entries else f"{name!r} is missing")
    return problems


def _broken(path: Path, problem: str) -> BrokenCheckpoint:
    return BrokenCheckpoint(
        f"The model card {path.parent.name}/{path.name} cannot be used: {problem}. A card is a YAML mapping "
        f"with the entries {', '.join(each.name for each in fields(ModelCard))}. Correct it, or take the "
        "folder out of the checkpoints."
    )
