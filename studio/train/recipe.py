"""Recipe: the configuration of a run to be, kept as YAML text; changed by the text or by one value of the form."""

import copy
import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.errors import InvalidSetting, RestorationError
from training.config import TrainConfig, read_config
from training.config_text import ConfigField, read_file, read_yaml
from training.schema import fields

BUDGET = (
    "optimizer.steps",
    "optimizer.minutes",
    "optimizer.petaflop",
    "optimizer.warmup_steps",
    "optimizer.ema",
)
"""Settings that follow from how long a run is to be."""

PLACE = ("name", "seed", "data.train", "data.folder_shares", "data.grainy_shares", "data.validation",
         "data.validation_size", "data.workers")  # fmt: skip
"""Settings that follow from whose run it is, and on which photographs and machine; as does all of `runtime`."""

CONFIGS = Path(__file__).resolve().parents[2] / "training" / "configs"
SKIMAGE = "skimage"
ORIGIN = "The recipe"


@dataclass(frozen=True)
class Preset:
    """A configuration to start from.

    Attributes:
        name: of its file in training/configs, without the ending.
        title: for people.
    """

    name: str
    title: str

    @property
    def path(self) -> Path:
        """Its file."""
        return CONFIGS / f"{self.name}.yaml"

    def text(self) -> str:
        """Its YAML, complete where the file builds on another one."""
        text, values = self.path.read_text(encoding="utf-8"), read_file(self.path)
        return text if values == read_yaml(text, self.name) else _leading_remarks(text) + as_yaml(values)

    def words(self) -> str:
        """What its first lines say of it."""
        return " ".join(line.lstrip("# ").strip() for line in _leading_remarks(self.text()).splitlines())


PRESETS = (
    Preset("tiny-cpu", "Two minutes on a CPU"),
    Preset("hour-cpu", "One hour on a CPU"),
    Preset("gpu-day", "A day on a GPU"),
    Preset("continue-cascade", "Continue the cascade"),
)


def preset(name: Any) -> Preset:
    """The preset of that name.

    Raises:
        InvalidSetting: there is none.
    """
    for one in PRESETS:
        if one.name == name:
            return one
    raise InvalidSetting(
        f"There is no preset {str(name)[:80]!r}. There are {', '.join(one.name for one in PRESETS)}. "
        "Choose one of them."
    )


@dataclass(frozen=True, eq=False)
class Recipe:
    """A text and what it means.

    Attributes:
        text: YAML.
        config: None while there are problems.
        problems: sentences, each beginning with the path of its setting where it has one.
        entries: the text as nested dictionaries; None where it is no YAML mapping.
    """

    text: str
    config: TrainConfig | None
    problems: tuple[str, ...]
    entries: dict[str, Any] | None

    @classmethod
    def read(cls, text: Any) -> "Recipe":
        """Understand a text, or say everything that is wrong with it."""
        text = text if isinstance(text, str) else ""
        try:
            entries = read_yaml(text, ORIGIN)
            config, problems = read_config(text, ORIGIN)
        except RestorationError as error:
            return cls(text, None, (str(error),), None)
        if not isinstance(entries, dict):
            return cls(text, None, tuple(problems), None)
        return cls(text, config, tuple(problems), entries)

    def value(self, path: str) -> Any:
        """What stands at a path, or its default."""
        found: Any = self.entries or {}
        for key in path.split("."):
            found = found.get(key, _Absent) if isinstance(found, dict) else _Absent
        return DEFAULTS.get(path) if found is _Absent else found

    def values(self) -> dict[str, Any]:
        """Every setting by its path, defaults included."""
        return {one.path: self.value(one.path) for one in FIELDS}

    def with_value(self, path: str, value: Any) -> "Recipe":
        """The same with another value at a path; the remarks at the top stay.

        Raises:
            InvalidSetting: the text is no YAML mapping at present, or there is no such setting.
        """
        return self.with_values({path: value})

    def with_values(self, values: dict[str, Any]) -> "Recipe":
        """Like with_value, for several."""
        entries = copy.deepcopy(self._readable())
        for path, value in values.items():
            if path not in DEFAULTS:
                raise InvalidSetting(
                    f"There is no setting {path[:80]!r}. Those of the form are known. Choose one of them."
                )
            *groups, key = path.split(".")
            group = entries
            for each in groups:
                if not isinstance(group.get(each), dict):
                    group[each] = {}
                group = group[each]
            group[key] = value
        return Recipe.read(_leading_remarks(self.text) + as_yaml(entries))

    def with_network(self, architecture: str, start: Preset | None = None) -> "Recipe":
        """The recipe of another network, on the same photographs and within the same budget.

        Patch sizes, loss, optimizer and hyperparameters become those of training/configs/ARCHITECTURE.yaml. Steps keep
        their number of pixels, so as many patches fit into one as are as large together.

        Args:
            architecture: the network; one that has no such file changes nothing else.
            start: what the recipe began as; its own network gets its own settings back.

        Raises:
            InvalidSetting: the text is no YAML mapping at present.
        """
        self._readable()
        if architecture == self.value("architecture"):
            return self
        own = Recipe.read(start.text()) if start is not None else None
        values: dict[str, Any] = {"card": {}}
        if own is None or own.value("architecture") != architecture:
            file = Preset(architecture, architecture)
            known = any(path.stem == architecture for path in CONFIGS.glob("*.yaml"))
            own = Recipe.read(file.text() if known else f"architecture: {architecture}\n")
            values["data.batch_sizes"] = self._batches(own.value("data.patch_sizes"))
        kept = (path for path in DEFAULTS if path in (*BUDGET, *PLACE) or path.startswith("runtime."))
        values = own.values() | values | {path: self.value(path) for path in kept}
        changed = {path: value for path, value in values.items() if value != DEFAULTS[path]}
        return Recipe(_leading_remarks(own.text), None, (), {}).with_values(changed)

    def _readable(self) -> dict[str, Any]:
        """The entries.

        Raises:
            InvalidSetting: the text is no YAML mapping.
        """
        if self.entries is None:
            raise InvalidSetting(
                "The recipe's YAML cannot be read. The form can change what is readable. Correct the YAML first."
            )
        return self.entries

    def _batches(self, sides: Sequence[int]) -> list[int]:
        """How many patches of each size make a step of as many pixels as the first one of this recipe."""
        try:
            pixels = self.value("data.patch_sizes")[0] ** 2 * self.value("data.batch_sizes")[0]
            return [max(round(pixels / side**2), 1) for side in sides]
        except (TypeError, IndexError, OverflowError):  # problems that the recipe names itself
            return self.value("data.batch_sizes")

    def with_photographs(self, folder: str) -> "Recipe":
        """The same on another folder, validated on scikit-image's own photographs."""
        card = self.value("card")
        training = f"Trained on the photographs in {folder}, damaged on the fly."
        others = (
            {key: text for key, text in card.items() if key != "licence"} if isinstance(card, dict) else {}
        )
        card = {**others, "training": training, "license": ""} if others else {}
        return self.with_values({"data.train": [folder], "data.validation": SKIMAGE, "card": card})


class _Absent:
    """Stands for a key that is not there."""


class _Dumper(yaml.SafeDumper):
    """Lists in one line, mappings in lines of their own."""


_Dumper.add_representer(
    list, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)


def as_yaml(entries: dict[str, Any]) -> str:
    """Entries as YAML the way the project writes it."""
    return yaml.dump(entries, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def typed(path: str, entered: Any) -> Any:
    """What somebody entered for a setting as a value of its kind; nonsense is kept, so that it is named as a problem.

    Args:
        path: of the setting.
        entered: text of a field, or True and False of a box.
    """
    one = next((each for each in FIELDS if each.path == path), None)
    if one is None or not isinstance(entered, str):
        return entered
    text = entered.strip()
    if one.optional and not text:
        return None
    if one.kind in ("text", "choice"):
        return text
    brackets = "[[" if one.kind == "rows" else "["
    if one.kind in ("texts", "integers", "numbers", "rows") and not text.startswith(brackets):
        text = f"[{text}]"
    try:
        value = read_yaml(text or "{}", path)
    except InvalidSetting:
        return entered
    if one.kind == "number" and isinstance(value, str) and re.fullmatch(r"[+-]?[\d.]+[eE][+-]?\d+", value):
        return float(value)  # YAML 1.1 reads 1e-3 as text
    return value


def shown(value: Any) -> Any:
    """A value as its field of the form shows it; the undoing of typed()."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return as_yaml(value).strip() if value else ""
    if isinstance(value, list | tuple):
        line = yaml.dump(
            value, Dumper=yaml.SafeDumper, default_flow_style=True, sort_keys=False, width=10_000
        )
        return line.strip()[1:-1]
    return str(value)


def _leading_remarks(text: str) -> str:
    match = re.match(r"(?:#[^\n]*\n)*", text)
    return match[0] if match else ""


FIELDS: tuple[ConfigField, ...] = fields()
DEFAULTS: dict[str, Any] = {one.path: one.default for one in FIELDS}


def differences(one: TrainConfig, other: TrainConfig) -> list[tuple[str, Any, Any]]:
    """Path, value of one and value of the other, where two configurations differ."""
    first, second = (_flat(dataclasses.asdict(each)) for each in (one, other))
    return [
        (path, first.get(path), second.get(path))
        for path in dict.fromkeys([*first, *second])
        if first.get(path) != second.get(path)
    ]


def _flat(entries: dict[str, Any], where: str = "") -> dict[str, Any]:
    """Nested entries by path; hyperparameters and the card one by one."""
    found: dict[str, Any] = {}
    for key, value in entries.items():
        found |= _flat(value, f"{where}{key}.") if isinstance(value, dict) else {f"{where}{key}": value}
    return found
