"""What happens at each event of the Lessons tab: the steps of a lesson, and each press in its two games."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Any

from models.errors import InvalidSetting
from models.zoo import Zoo
from studio.lessons.blind_pair import BlindPair, checked_names, new_pair
from studio.lessons.game_pictures import ANY, picture_for
from studio.lessons.lessons import lesson
from studio.lessons.quality_guess import GuessRound, new_round
from studio.lessons.view import blind_value, blind_view, guess_value, guess_view
from studio.server.answers import Props
from studio.server.files import PictureFolder
from studio.session.visitor import Session

GONE = (
    "This picture is not held any more. Pictures of a game are held for a limited time, and the latest one only. "
    "Take the next one."
)


@dataclass(frozen=True, eq=False)
class TabsPage:
    """Which tab is in front."""

    tabs: Props | None = None


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


def select(tab: str) -> Callable[[], TabsPage]:
    """A handler that brings a tab to the front."""
    return lambda: TabsPage(Props(selected=tab))


def settings_of(event: Any) -> Mapping[str, str]:
    """The link's parameters of the lesson that an event names; none for anything else."""
    chosen = lesson(event.get("lesson")) if isinstance(event, Mapping) else None
    return chosen.settings if chosen else {}


class GuessHandlers:
    """Of the quality quiz; serves every visitor, and holds nothing of any of them."""

    def __init__(self, pictures: PictureFolder, random: Random | None = None) -> None:
        """Keep files in `pictures`; `random` draws what is hidden."""
        self._pictures, self._random = pictures, random or SystemRandom()

    def entered(self, state: GuessRound | None, session: Session | None) -> GamePage | None:
        """The tab was opened: the first picture, unless there is one."""
        return None if state else self.deal(session, {"picture": ANY})

    def deal(self, session: Session | None, event: dict[str, Any]) -> GamePage:
        """The next picture is asked for.

        Raises:
            RestorationError: with the sentence to show.
        """
        return self._page(new_round(picture_for(event.get("picture"), session, self._random), self._random))

    def guess(self, state: GuessRound | None, event: dict[str, Any]) -> GamePage:
        """Somebody has guessed: show the truth.

        Raises:
            RestorationError: with the sentence to show.
        """
        if state is None or event.get("round") != state.token:
            raise InvalidSetting(GONE)
        return self._page(state.guessed(event.get("guess")))

    def refuse(self, state: GuessRound | None, sentence: str) -> GamePage:
        """Something went wrong."""
        return GamePage(guess_value(state, notice=sentence))

    def _page(self, state: GuessRound) -> GamePage:
        return GamePage(guess_value(state), state, guess_view(state, self._pictures))


class BlindHandlers:
    """Of the blind test; serves every visitor, and holds nothing of any of them."""

    def __init__(self, zoo: Zoo, pictures: PictureFolder, random: Random | None = None) -> None:
        """The zoo's models compete; `random` draws what is hidden."""
        self._zoo, self._pictures = zoo, pictures
        self._random = random or SystemRandom()

    def entered(self, state: BlindPair | None) -> GamePage:
        """The tab was opened, or a pair was given up: the models as the checkpoints folder holds them now."""
        return self.refuse(state, "")

    def deal(self, session: Session | None, event: dict[str, Any]) -> Iterator[GamePage]:
        """A new pair, with what is going on meanwhile.

        Raises:
            RestorationError: with the sentence to show.
        """
        models = self.models()
        names = checked_names((event.get("first"), event.get("second")), tuple(name for _, name in models))
        picture = picture_for(event.get("picture"), session, self._random)
        for item in new_pair(self._zoo, picture, names, self._random):
            if isinstance(item, BlindPair):
                yield GamePage(blind_value(item, models), item, blind_view(item, self._pictures))
            else:
                yield GamePage(blind_value(None, models, working=f"part {item.done} of {item.total}"))

    def reveal(self, state: BlindPair | None, event: dict[str, Any]) -> GamePage:
        """The names are asked for.

        Raises:
            RestorationError: with the sentence to show.
        """
        if state is None or event.get("pair") != state.token:
            raise InvalidSetting(GONE)
        after = state.shown()
        return GamePage(blind_value(after, self.models()), after, blind_view(after, self._pictures))

    def refuse(self, state: BlindPair | None, sentence: str) -> GamePage:
        """Something went wrong, or nothing has happened yet."""
        return GamePage(blind_value(state, self.models(), notice=sentence))

    def models(self) -> list[tuple[str, str]]:
        """Titles and names of everything that can compete."""
        return [(card.title, card.name) for card in self._zoo.cards()]
