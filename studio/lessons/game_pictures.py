"""The pictures that the two games of the Lessons tab play with: clean examples, or the photograph that is open."""

from random import Random
from typing import Any

from models.errors import InvalidSetting
from studio.session.crop import SweptPicture, swept_picture
from studio.session.examples import EXAMPLES, open_example
from studio.session.form import one_of
from studio.session.visitor import Session

ANY, OPENED = "any", "opened"
CLEAN = ("coffee", "chelsea", "astronaut", "camera", "text", "line-art")
"""Examples that were no JPEG before, so that the only damage is the game's own."""


def picture_choices() -> list[tuple[str, str]]:
    """What can be chosen: words and identifiers."""
    titles = {one.name: one.title.partition(":")[0] for one in EXAMPLES}
    return [
        ("any example", ANY),
        *((titles[name], name) for name in CLEAN),
        ("the photograph open in Restore", OPENED),
    ]


def picture_for(choice: Any, session: Session | None, random: Random) -> SweptPicture:
    """The chosen picture, or a part from the middle of a large one.

    Args:
        choice: an identifier of picture_choices(), unchecked.
        session: what the visitor has open.
        random: draws where any example will do.

    Raises:
        InvalidSetting: with the sentence to show.
    """
    choice = one_of(choice, (ANY, *CLEAN, OPENED), "The picture")
    if choice != OPENED:
        return swept_picture(open_example(random.choice(CLEAN) if choice == ANY else choice), "crop")
    if session is None or session.photograph is None:
        raise InvalidSetting(
            "There is no photograph in memory. The photograph open in Experiment can be used, and is held for a "
            "limited time. Open one there, or choose an example."
        )
    return swept_picture(session.photograph, "crop")
