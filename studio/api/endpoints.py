"""The named endpoints /restore, /degrade, /measure, /inspect and /models; docs/api.md shows them at work.

They go through the same queue as the page, so they share its bounds; nothing here is called past it.
"""

import importlib
import logging
from collections.abc import Callable
from threading import Event
from typing import Any, TypedDict

import gradio as gr

from models.errors import MissingExtra, RestorationError
from studio.api.api import Api
from studio.page.binding import UNFORESEEN
from studio.server.gradio_internals import MODELS, current_caller

logger = logging.getLogger(__name__)

QUICK = {"concurrency_limit": 2, "concurrency_id": "api"}
"""Whatever decodes and measures, but runs no model."""


class Unheard(Event):
    """Is set once nobody waits for a call any more."""

    def __init__(self, number: str | None, is_wanted: Callable[[str], bool]) -> None:
        """A call without a number is wanted to its end."""
        super().__init__()
        self._number, self._is_wanted = number, is_wanted

    def is_set(self) -> bool:
        """Whether the work may end."""
        return super().is_set() or (self._number is not None and not self._is_wanted(self._number))


class Result(TypedDict):
    """What one model made of a picture."""

    model: str
    file: gr.FileData
    seconds: float
    predicted_quality_factor: float | None
    applied_quality_factor: float | None
    steered_by: str
    computed_by: str
    weights_sha256: str | None


class Restored(TypedDict):
    """The answer of /restore."""

    picture: dict[str, Any]
    results: list[Result]
    failures: list[dict[str, str]]


class Degraded(TypedDict):
    """The answer of /degrade."""

    file: gr.FileData
    reference: gr.FileData
    degradation: str
    steps: list[dict[str, Any]]
    facts: dict[str, Any]
    notes: list[str]
    metrics: dict[str, float | None]
    convention: str


class Measured(TypedDict):
    """The answer of /measure; notes on both files."""

    notes: dict[str, list[str]]
    metrics: dict[str, float | None]
    convention: str


class Endpoints:
    """Typed for Gradio, which shows the types and docstrings to callers; the work is studio.api.api's."""

    def __init__(self, api: Api, is_wanted: Callable[[str], bool] = lambda _number: True) -> None:
        """What answers, and whether somebody still waits for a call, by Gradio's number of it."""
        self._api, self._is_wanted = api, is_wanted

    def build(self) -> None:
        """Register all of them with the Blocks being built."""
        add = gr.api  # pyright: ignore[reportPrivateImportUsage]  # documented, and not marked as exported
        add(self.restore, api_name="restore", **MODELS)  # in the page's own line
        for endpoint in (self.degrade, self.measure, self.inspect, self.models):
            add(endpoint, api_name=endpoint.__name__, **QUICK)

    def restore(
        self,
        picture: gr.FileData,
        models: list[str] | None = None,
        quality_factor: int | None = None,
        blind: bool = False,
        stages: int | None = None,
        effort: str = "standard",
    ) -> Restored:
        """Repair a JPEG with one or several models; results are lossless PNG files.

        Args:
            picture: the file, uploaded; its own bytes and quantization tables are used.
            models: names as /models tells them; the cascade if none are given.
            quality_factor: 1 to 100 to steer by hand what can be steered; left out, each model decides.
            blind: ignore the file's quantization tables.
            stages: stop after that many stages of a model that has several.
            effort: quick runs the first stage alone, best takes the mean of eight orientations and eight times as long.
        """
        stop = Unheard(current_caller().number, self._is_wanted)
        return _calmly(
            lambda: self._api.restore(picture, models, quality_factor, blind, stages, effort, stop)
        )

    def degrade(
        self,
        picture: gr.FileData,
        quality_factor: int | None = None,
        subsampling: str = "4:2:0",
        second_quality_factor: int | None = None,
        second_subsampling: str = "4:2:0",
        shift_rows: int = 0,
        shift_columns: int = 0,
        resize_percent: int = 100,
        steps: list[dict[str, Any]] | None = None,
    ) -> Degraded:
        """Save a picture as JPEG, once or twice, and measure what that cost.

        Args:
            picture: the file, uploaded.
            quality_factor: 1 to 100; needed where no steps are sent.
            subsampling: 4:4:4, 4:2:2 or 4:2:0.
            second_quality_factor: of a second save; left out, there is one.
            second_subsampling: of the second save.
            shift_rows: rows trimmed off the top between the saves, 0 to 7.
            shift_columns: columns trimmed off the left between the saves, 0 to 7.
            resize_percent: 25 to 200, of the picture's size between the saves, as messengers resize.
            steps: in place of all these any steps that end with a save, such as {"quality_factor": 10},
                {"step": "resize", "factor": 0.5}, {"quality_factor": 30, "grid_shift": [4, 4]}.
        """
        return _calmly(
            lambda: self._api.degrade(
                picture,
                quality_factor,
                subsampling,
                second_quality_factor,
                second_subsampling,
                shift_rows,
                shift_columns,
                resize_percent,
                steps,
            )
        )

    def measure(self, picture: gr.FileData, reference: gr.FileData) -> Measured:
        """Compare a picture with a reference of the same size by every metric, with their convention.

        Args:
            picture: the file to be judged, uploaded.
            reference: the clean file, uploaded.
        """
        return _calmly(lambda: self._api.measure(picture, reference))

    def inspect(self, picture: gr.FileData) -> dict[str, Any]:
        """Say what a file is: size, subsampling, quantization tables, and the quality factor they tell.

        Args:
            picture: the file, uploaded.
        """
        return _calmly(lambda: self._api.inspect(picture))

    def models(self) -> list[dict[str, Any]]:
        """List the models that /restore knows, cheapest first."""
        return _calmly(self._api.models)


def mcp_settings() -> dict[str, bool]:
    """What Blocks.launch needs to offer the endpoints as tools of the Model Context Protocol.

    Raises:
        MissingExtra: the package for it is not installed.
    """
    try:
        importlib.import_module("mcp")  # first: gradio.mcp can be imported without it, and then does nothing
        importlib.import_module("gradio.mcp")
    except ImportError as problem:
        raise MissingExtra(
            f"--mcp was asked for, but the package mcp cannot be imported ({problem}). It is an optional extra. "
            "Install it with: pip install -r requirements-mcp.txt, or leave --mcp out."
        ) from problem
    return {"mcp_server": True}


def _calmly(work: Callable[[], Any]) -> Any:
    """The work's answer, or one clear sentence as an error that Gradio hands on."""
    try:
        return work()
    except RestorationError as error:
        raise gr.Error(str(error), print_exception=False) from error
    except Exception as error:
        logger.exception("an endpoint failed")
        raise gr.Error(UNFORESEEN, print_exception=False) from error
