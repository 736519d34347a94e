"""What a handler's answer may hold besides plain values: properties of a component, and changes of what is held."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DROPPED = object()
"""Given by a Change: the answer belongs to what is not held any more, and nothing of it reaches the page."""


class Props(dict[str, Any]):
    """What a handler sets of a component besides its value: Props(visible=False), Props(value="Stop")."""


@dataclass(frozen=True)
class Change:
    """A visitor's state, made of the one that is held when the answer arrives.

    Other events may have written it since the handler was called, and nothing else is written in between.

    Attributes:
        of: from the present state to the next one, or to DROPPED; called on the event loop, so it takes no time.
    """

    of: Callable[[Any], Any]


EMPTIED = Change(lambda _: None)
"""Nothing is held any more; None itself would leave it alone."""


def only_while(is_current: Callable[[Any], bool]) -> Change:
    """Leaves a state alone, and drops the answer where the state has become another one."""
    return Change(lambda present: present if is_current(present) else DROPPED)


def without_changes(answer: Mapping[Any, Any], state: Any) -> dict[Any, Any]:
    """Write what an answer changes of a visitor's state, at once; what is left of it is for the page.

    Args:
        answer: values by component.
        state: what is held, by component.

    Returns:
        Nothing where the answer is dropped.
    """
    changed = {
        component: value.of(state[component])
        for component, value in answer.items()
        if isinstance(value, Change)
    }
    if any(value is DROPPED for value in changed.values()):
        return {}
    for component, value in changed.items():
        state[component] = value
    return {component: value for component, value in answer.items() if component not in changed}
