"""Several photographs, repaired one after the other: each result is noted, and one zip holds them all. No page code.

The list itself, and which file comes next, is the page's: it opens and repairs each as it does a single one.
"""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from time import monotonic_ns
from typing import Any

from models.errors import InvalidSetting
from studio.engine.engine import Engine
from studio.page.view import best_result
from studio.page.wording import file_size
from studio.restore.takeaway import report_of
from studio.restore.takeaway_handlers import TakeawayHandlers
from studio.server.answers import Change
from studio.server.files import PictureFolder
from studio.session.form import whole
from studio.session.visitor import Run, Session

MAX_QUEUED = 20
"""Files of one queue; their results are kept as long as a single one."""
ARCHIVE = "repaired"


@dataclass(frozen=True)
class Repaired:
    """One finished picture of a queue.

    Attributes:
        file: its PNG file, as the page is told of it.
        report: settings, hashes and measures, see takeaway.report_of.
    """

    file: Mapping[str, Any]
    report: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class QueuePage:
    """What changes: the value of the queue, and what is finished by its number."""

    queue: dict[str, Any]
    repaired: Any = None


class QueueHandlers:
    """Serves every visitor; holds nothing of any of them."""

    def __init__(self, engine: Engine, pictures: PictureFolder, packing: TakeawayHandlers) -> None:
        self._engine, self._pictures, self._packing = engine, pictures, packing

    @staticmethod
    def begin() -> QueuePage:
        """Other files were chosen: nothing of them is finished."""
        return QueuePage(_answer(state="begun"), Change(lambda _: {}))

    def keep(
        self,
        event: Mapping[str, Any],
        session: Session | None,
        run: Run | None,
        repaired: Mapping[int, Repaired] | None,
    ) -> QueuePage:
        """The picture with this number is repaired: note its file, and keep those before it for as long.

        Raises:
            RestorationError: with the sentence to show.
        """
        number = whole(event.get("number"), 0, MAX_QUEUED - 1, "The number in the queue")
        photograph, _, outputs, view = self._packing.results(session, run)
        best = best_result(outputs, event.get("result"))
        if best is None:
            raise InvalidSetting(
                "No model has finished with this picture. Finished ones can be packed. Repair it again."
            )
        pane = next(pane for pane in view["panes"] if pane["id"] == best)
        file = self._pictures.under_another_name(pane["file"], f"{photograph.name}_repaired.png")
        report = report_of(photograph, outputs, [pane], weights_hash=self._packing.weights_hash)
        for item in (repaired or {}).values():
            self._pictures.renew(dict(item.file))
        done = Repaired(file, report)
        words = self._engine.cards()[best].title
        return QueuePage(
            _answer(state="kept", number=number, words=words),
            Change(lambda held: {**(held or {}), number: done}),
        )

    def pack(self, repaired: Mapping[int, Repaired] | None) -> QueuePage:
        """All that is finished, in one zip.

        Raises:
            InvalidSetting: nothing is there.
        """
        ordered = [item for _, item in sorted((repaired or {}).items())]
        there = [item for item in ordered if self._pictures.renew(dict(item.file))]
        if not there:
            raise InvalidSetting(
                "None of the repaired pictures is held any more. They are kept for a limited time. Repair them again."
            )
        content = " ".join(str(item.file["path"]) for item in there)
        made = self._pictures.served_made(
            f"{ARCHIVE}.zip", f"zip {content}", lambda place: write_archive(place, there)
        )
        gone = [PurePath(item.file["path"]).name for item in ordered if item not in there]
        words = f"{made['orig_name']}: {len(there)} pictures, {file_size(Path(made['path']).stat().st_size)}."
        if gone:
            words += f" Not held any more: {', '.join(gone)}. Repair them again."
        return QueuePage(_answer(state="packed", file=made, words=words))


def write_archive(place: Path, items: Iterable[Repaired]) -> None:
    """A zip with every picture as it is, and report.json; one picture after the other, never all in memory."""
    taken: Counter[str] = Counter()
    reports = []
    with zipfile.ZipFile(place, "w", zipfile.ZIP_STORED) as archive:
        for item in items:
            path = Path(item.file["path"])
            taken[path.name] += 1
            again = f"-{taken[path.name]}" if taken[path.name] > 1 else ""
            name = f"{path.stem}{again}{path.suffix}"
            archive.write(path, f"{ARCHIVE}/{name}")
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            reports.append({"file": name, "sha256": digest, **item.report})
        text = json.dumps({"pictures": reports}, indent=1, ensure_ascii=False, allow_nan=False)
        archive.writestr(f"{ARCHIVE}/report.json", text, zipfile.ZIP_DEFLATED)


def refuse(sentence: str) -> QueuePage:
    """The queue with what went wrong."""
    return QueuePage(_answer(state="failed", words=sentence))


def _answer(**value: Any) -> dict[str, Any]:
    return {"answer": monotonic_ns() // 1000, **value}
