"""From raw form values to a request: every value is checked here again, because forms let anything through."""

from dataclasses import dataclass
from typing import Any, get_args

from models.errors import InvalidSetting
from models.jpeg import Degradation, JpegEncoding
from models.restorer import Guidance
from studio.engine.engine import RestoreRequest

SAVES = ("keep", "once", "twice")
SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
MAX_SHIFT = 7


@dataclass(frozen=True)
class RestoreForm:
    """The Restore tab's controls by name, as they arrived: untrusted.

    Attributes:
        saves: "keep", "once" or "twice".
        first_quality, second_quality: quality factor of each save, 1..100.
        first_subsampling, second_subsampling: of each save.
        shift_rows, shift_columns: trimmed between the saves, 0..7.
        model_names: the ticked models.
        guidance: see models.restorer.Guidance.
        manual_quality: 1..100, used with guidance "manual".
    """

    saves: Any = "once"
    first_quality: Any = 10
    first_subsampling: Any = "4:2:0"
    second_quality: Any = 30
    second_subsampling: Any = "4:2:0"
    shift_rows: Any = 4
    shift_columns: Any = 4
    model_names: Any = ()
    guidance: Any = "automatic"
    manual_quality: Any = 30

    def degradation(self) -> Degradation | None:
        """What step 2 asks for; None keeps the file.

        Raises:
            InvalidSetting: naming the control and what it takes.
        """
        saves = one_of(self.saves, SAVES, "How often the photograph is saved")
        if saves == "keep":
            return None
        first = JpegEncoding(
            whole(self.first_quality, 1, 100, "The quality factor"),
            one_of(self.first_subsampling, SUBSAMPLINGS, "The colour subsampling"),
        )
        if saves == "once":
            return Degradation((first,))
        second = JpegEncoding(
            whole(self.second_quality, 1, 100, "The second quality factor"),
            one_of(self.second_subsampling, SUBSAMPLINGS, "The second colour subsampling"),
            (
                whole(self.shift_rows, 0, MAX_SHIFT, "The shift in rows"),
                whole(self.shift_columns, 0, MAX_SHIFT, "The shift in columns"),
            ),
        )
        return Degradation((first, second))

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
        guidance = one_of(self.guidance, get_args(Guidance), "The guidance")
        manual = (
            whole(self.manual_quality, 1, 100, "The quality set by hand") if guidance == "manual" else None
        )
        ordered = tuple(name for name in known_models if name in names)
        return RestoreRequest(photograph_key, ordered, self.degradation(), guidance, manual)


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
