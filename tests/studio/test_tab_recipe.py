"""A tab is a folder: two files and one call make one, with values, a form, state and errors as sentences."""

import asyncio
import sys
from types import SimpleNamespace

import gradio as gr
import pytest

from studio.server.gradio_internals import StudioBlocks, prepare_for_many

HANDLERS = '''
"""What happens in the tab: counts a photograph's gray levels."""

from dataclasses import dataclass

import numpy as np

from models.errors import InvalidSetting
from studio.server.answers import Change
from studio.session.form import whole


@dataclass(frozen=True)
class HistogramForm:
    """The controls."""

    bars: object = 4


@dataclass(frozen=True)
class HistogramPage:
    """What changes on the page."""

    looks: Change | None = None
    counts: str | None = None
    shown: bool | None = None
    notice: str | None = None


def entered(session, form):
    """Count what is open."""
    if session is None or session.photograph is None:
        raise InvalidSetting("No photograph is open. Open one in Experiment.")
    pixels = session.photograph.image.pixels
    counts, _ = np.histogram(pixels, whole(form.bars, 1, 16, "The number of bars"), (0, 256))
    looks = Change(lambda present: (present or 0) + 1)
    return HistogramPage(looks, " ".join(map(str, counts)), shown=True, notice="")
'''

TAB = '''
"""The tab: components and events."""

import gradio as gr

from studio.page.binding import LATEST, LIGHT, Binding
from PACKAGE.handlers import HistogramForm, HistogramPage, entered


def build_histogram_tab(tab, session):
    """Lay it out and wire it."""
    parts = {"session": session, "looks": gr.State(0), "notice": gr.HTML("")}
    parts["bars"] = gr.Slider(1, 16, HistogramForm().bars, step=1, label="Bars")
    with gr.Column(visible=False) as parts["shown"]:
        parts["counts"] = gr.HTML("")
    bound = Binding(HistogramPage, parts, form=HistogramForm)
    bound.on(tab.select, entered, otherwise=HistogramPage(shown=False), **LIGHT)
    bound.on(parts["bars"].release, entered, **LATEST)
    return parts
'''


@pytest.fixture
def build(tmp_path, monkeypatch):
    """The recipe's one call, from a package of two files."""
    folder = tmp_path / "histogram_tab"
    folder.mkdir()
    (folder / "handlers.py").write_text(HANDLERS)
    (folder / "tab.py").write_text(TAB.replace("PACKAGE", folder.name))
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__(f"{folder.name}.tab", fromlist=["tab"]).build_histogram_tab
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_two_files_and_one_call_are_a_working_tab(build, photograph):
    with StudioBlocks() as demo, gr.Tabs():
        session = gr.State(None)
        with gr.Tab("Histogram") as tab:
            parts = build(tab, session)
    prepare_for_many(demo)
    select, release = (fn for fn in demo.handlers.values() if getattr(fn.fn, "__name__", "") == "entered")
    request = gr.Request(session_hash="visitor", query_params={})
    state = demo.state_holder["visitor"]

    def ask(function, bars):
        data = [None if block.stateful else bars for block in function.inputs]
        call = demo.process_api(
            function, data, state=state, request=request, event_data=gr.EventData(None, None)
        )
        answer = asyncio.run(call)["data"]
        names = {part: name for name, part in parts.items()}
        return {names[block]: value for block, value in zip(function.outputs, answer, strict=True)}

    refused = ask(select, 4)
    assert "No photograph is open" in refused["notice"] and refused["shown"]["visible"] is False
    state[session._id] = SimpleNamespace(photograph=photograph)
    counted = ask(select, 4)
    numbers = [int(word) for word in counted["counts"].split()]
    assert len(numbers) == 4 and sum(numbers) == photograph.image.pixels.size
    assert counted["shown"]["visible"] is True and counted["notice"] == ""
    assert len(ask(release, 7)["counts"].split()) == 7
    assert "The number of bars is 99" in ask(release, 99)["notice"]
    assert state[parts["looks"]._id] == 2
