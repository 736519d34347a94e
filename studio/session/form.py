"""From raw form values to a request: every value is checked here again, because forms let anything through."""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, get_args

from models.errors import InvalidSetting
from models.jpeg import SUBSAMPLINGS, Degradation, Resize, Save, Step
from models.restorer import Effort, Guidance, RestoreOptions
from studio.engine.outputs import RestoreRequest

SAVES = ("keep", "once", "twice")
DOORS = ("repair", "experiment")
RECOMMENDED = "recommended"
MAX_SHIFT = 7
MIN_RESIZE_PERCENT, SAME_SIZE_PERCENT, MAX_RESIZE_PERCENT = 25, 100, 200


@dataclass(frozen=True)
class Control:
    """What a control takes, and what it is called where it is not seen.

    Attributes:
        key: in a link.
        subject: of the sentence that refuses a value.
        choices: the allowed words; without any it takes whole numbers.
        low, high: of those numbers.
        optional: a link that lacks it means its default, and says nothing of it.
    """

    key: str
    subject: str = ""
    choices: tuple[str, ...] = ()
    low: int = 1
    high: int = 100
    optional: bool = False


def control(default: Any, key: str, subject: str = "", **limits: Any) -> Any:
    """A field of a form that holds a control's value; see Control."""
    return field(default=default, metadata={"control": Control(key, subject, **limits)})


@dataclass(frozen=True)
class RestoreForm:
    """The Restore tab's controls by name, as they arrived: untrusted.

    Attributes:
        door: "repair" runs one model on what was brought, "experiment" all that is ticked on what was made of it.
        saves: "keep", "once" or "twice".
        first_quality, second_quality: quality factor of each save, 1..100.
        first_subsampling, second_subsampling: of each save.
        shift_rows, shift_columns: trimmed between the saves, 0..7.
        resize_percent: of the picture's size between two saves, 25..200; 100 leaves it as it is.
        model_names: the ticked models.
        guidance: see models.restorer.Guidance.
        manual_quality: 1..100, used with guidance "manual".
        effort: see models.restorer.Effort.
        repairing_model: of the door "repair", a name or "recommended".
    """

    door: Any = control("repair", "door", "The door", choices=DOORS)
    saves: Any = control("once", "saves", "How often the photograph is saved", choices=SAVES)
    first_quality: Any = control(10, "quality", "The quality factor")
    first_subsampling: Any = control("4:2:0", "subsampling", "The colour subsampling", choices=SUBSAMPLINGS)
    second_quality: Any = control(30, "quality2", "The second quality factor")
    second_subsampling: Any = control(
        "4:2:0", "subsampling2", "The second colour subsampling", choices=SUBSAMPLINGS
    )
    shift_rows: Any = control(4, "rows", "The shift in rows", low=0, high=MAX_SHIFT)
    shift_columns: Any = control(4, "columns", "The shift in columns", low=0, high=MAX_SHIFT)
    resize_percent: Any = control(
        SAME_SIZE_PERCENT,
        "resize",
        "The resize between the saves, in percent,",
        low=MIN_RESIZE_PERCENT,
        high=MAX_RESIZE_PERCENT,
        optional=True,
    )
    model_names: Any = control((), "models")
    guidance: Any = control("automatic", "guidance", "The guidance", choices=get_args(Guidance))
    manual_quality: Any = control(30, "manual", "The quality set by hand")
    effort: Any = control("standard", "effort", "The effort", choices=get_args(Effort), optional=True)
    repairing_model: Any = control(RECOMMENDED, "model", optional=True)

    @classmethod
    def controls(cls) -> dict[str, Control]:
        """By field name."""
        return {entry.name: entry.metadata["control"] for entry in fields(cls)}

    def checked(self, name: str) -> Any:
        """The value of one control.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        value, taken = getattr(self, name), self.controls()[name]
        if taken.choices:
            return one_of(value, taken.choices, taken.subject)
        return whole(value, taken.low, taken.high, taken.subject)

    def degradation(self) -> Degradation | None:
        """What step 2 asks for; None keeps the file.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        saves = self.checked("saves")
        if saves == "keep":
            return None
        steps: list[Step] = [Save(self.checked("first_quality"), self.checked("first_subsampling"))]
        if saves == "twice":
            second = self.checked("second_quality"), self.checked("second_subsampling")
            shift = self.checked("shift_rows"), self.checked("shift_columns")
            steps += [*resize_of(self.checked("resize_percent")), Save(*second, shift)]
        return Degradation(tuple(steps))

    @classmethod
    def of(cls, request: RestoreRequest) -> Self:
        """The controls that ask for a request which the form can make."""
        options = request.options
        values: dict[str, Any] = {"door": "experiment", "model_names": request.model_names}
        values |= {"guidance": options.guidance, "effort": options.effort}
        steps = request.degradation.steps if request.degradation else ()
        saves = [step for step in steps if isinstance(step, Save)]
        values["saves"] = SAVES[len(saves)]
        for place, save in zip(("first", "second"), saves, strict=False):
            values |= {f"{place}_quality": save.quality_factor, f"{place}_subsampling": save.subsampling}
        if len(saves) == 2:
            values["shift_rows"], values["shift_columns"] = saves[1].grid_shift
        for step in steps:
            if isinstance(step, Resize):
                values["resize_percent"] = round(100 * step.factor)
        if options.quality_factor is not None:
            values["manual_quality"] = options.quality_factor
        return cls(**values)

    def as_meant(self, *, own: bool, recommended: str = "") -> Self:
        """The form as its door means it: Repair takes one model, and what somebody brought as it is.

        Args:
            own: the picture is nobody's example.
            recommended: the model that is meant by that word; without one, none is.
        """
        if self.door != "repair":
            return self
        chosen = recommended if self.repairing_model == RECOMMENDED else self.repairing_model
        saves = "keep" if own else self.saves
        return replace(self, saves=saves, model_names=(chosen,) if chosen else (), guidance="automatic")

    def request(self, photograph_key: str, known_models: tuple[str, ...]) -> RestoreRequest:
        """The whole form as a request.

        Args:
            photograph_key: of the opened photograph.
            known_models: names the zoo holds.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        names = self.model_names
        if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
            raise InvalidSetting(
                f"The models arrived as {clipped(names)}. A list of names is expected. Reload the page."
            )
        for name in names:
            one_of(name, known_models, "The model")
        guidance = self.checked("guidance")
        manual = self.checked("manual_quality") if guidance == "manual" else None
        ordered = tuple(name for name in known_models if name in names)
        options = RestoreOptions(guidance, manual, effort=self.checked("effort"))
        return RestoreRequest(photograph_key, ordered, self.degradation(), options)


def resize_of(percent: int) -> tuple[Resize, ...]:
    """The step that a percentage stands for; none where the size stays as it is."""
    return () if percent == SAME_SIZE_PERCENT else (Resize(percent / 100),)


def whole(value: Any, low: int, high: int, what: str) -> int:
    """A number that is finite, whole and within low..high, as an int.

    Raises:
        InvalidSetting: with `what` as its subject.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or value != int(value):  # NaN fails the comparison
        raise InvalidSetting(
            f"{what} is {clipped(value)}. Whole numbers from {low} to {high} are allowed. Type one or move the slider."
        )
    return int(value)


def one_of(value: Any, allowed: tuple[str, ...], what: str) -> str:
    """One of the allowed words.

    Raises:
        InvalidSetting: with `what` as its subject.
    """
    if not isinstance(value, str) or value not in allowed:
        raise InvalidSetting(
            f"{what} is {clipped(value)}. Allowed: {', '.join(allowed)}. Choose one of them."
        )
    return value


def clipped(value: Any) -> str:
    """A value for a message: its repr, at most 40 characters."""
    if value is None:
        return "missing"
    try:
        words = repr(value)
    except ValueError:  # whole numbers of thousands of digits have none
        return "far too long"
    return words if len(words) <= 40 else words[:37] + "..."
