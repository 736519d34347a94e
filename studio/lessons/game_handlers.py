"""What happens at each press in the two games of the Lessons tab. No page code."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Any

from models.errors import InvalidSetting
from models.zoo import Zoo
from studio.lessons.blind_pair import BlindPair, checked_names, new_pair
from studio.lessons.game_pictures import picture_for
from studio.lessons.game_view import blind_value, blind_view, guess_value, guess_view
from studio.lessons.quality_guess import GuessRound, new_round
from studio.server.files import PictureFolder
from studio.session.visitor import Session

GONE = (
    "This picture is not held any more. Pictures of a game are held for a limited time, and the latest one only. "
    "Take the next one."
)


@dataclass(frozen=True, eq=False)
class GamePage:
    """What changes in a game; None leaves it alone.

    Attributes:
        state: the round or pair, kept on the server.
        viewer, panel: values of the two components.
    """

    panel: dict[str, Any]
    state: GuessRound | BlindPair | None = None
    viewer: dict[str, Any] | None = None


class GamesDesk:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, zoo: Zoo, pictures: PictureFolder, random: Random | None = None) -> None:
        """The zoo's models compete; `random` draws what is hidden."""
        self._zoo, self._pictures = zoo, pictures
        self._random = random or SystemRandom()

    def guess_dealt(self, choice: Any, session: Session | None) -> GamePage:
        """A new picture to guess.

        Raises:
            RestorationError: with the sentence to show.
        """
        one = new_round(picture_for(choice, session, self._random), self._random)
        return GamePage(guess_value(one), one, guess_view(one, self._pictures))

    def guess_made(self, one: GuessRound | None, token: Any, guess: Any) -> GamePage:
        """The guess came in: show the truth.

        Raises:
            RestorationError: with the sentence to show.
        """
        if one is None or token != one.token:
            raise InvalidSetting(GONE)
        after = one.guessed(guess)
        return GamePage(guess_value(after), after, guess_view(after, self._pictures))

    def guess_refused(self, one: GuessRound | None, notice: str) -> GamePage:
        """Something went wrong."""
        return GamePage(guess_value(one, notice=notice))

    def pair_dealt(self, choice: Any, names: tuple[Any, Any], session: Session | None) -> Iterator[GamePage]:
        """A new pair, with what is going on meanwhile.

        Raises:
            RestorationError: with the sentence to show.
        """
        models = self.models()
        checked = checked_names(names, tuple(name for _, name in models))
        picture = picture_for(choice, session, self._random)
        for item in new_pair(self._zoo, picture, checked, self._random):
            if isinstance(item, BlindPair):
                yield GamePage(blind_value(item, models), item, blind_view(item, self._pictures))
            else:
                yield GamePage(blind_value(None, models, working=f"part {item.done} of {item.total}"))

    def pair_shown(self, pair: BlindPair | None, token: Any) -> GamePage:
        """The names are asked for.

        Raises:
            RestorationError: with the sentence to show.
        """
        if pair is None or token != pair.token:
            raise InvalidSetting(GONE)
        after = pair.shown()
        return GamePage(blind_value(after, self.models()), after, blind_view(after, self._pictures))

    def pair_refused(self, pair: BlindPair | None, notice: str) -> GamePage:
        """Something went wrong, or nothing has happened yet."""
        return GamePage(blind_value(pair, self.models(), notice=notice))

    def models(self) -> list[tuple[str, str]]:
        """Titles and names of everything that can compete."""
        return [(card.title, card.name) for card in self._zoo.cards()]
