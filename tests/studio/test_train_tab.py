"""The Train tab's handlers: whatever a call brings is one calm sentence, and no line in the log."""

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from studio.interface import build_studio, launch_settings
from studio.train.jobs import Jobs

FAKE = Path(__file__).with_name("fake_trainer.py")
ODD = [
    None,
    True,
    -1,
    1.5,
    "x",
    "\0",
    [],
    [[]],
    ["x"],
    {},
    {"name": 1},
    {"name": ["x"], "names": [[]], "setting": {}},
]


@pytest.fixture(scope="module")
def page(zoo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
        yield build_studio(
            zoo, Jobs(folder / "runs", folder, trainer=(sys.executable, str(FAKE), "finishes"))
        )


def functions(page):
    """Those of the tab, but for the one that starts trainings."""
    return [
        fn
        for fn in page.handlers.values()
        if fn.fn and fn.fn.__module__.startswith("studio.train.") and fn.fn.__name__ != "pressed"
    ]


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_odd_values_are_no_news(page, odd, caplog):
    request = SimpleNamespace(session_hash="visitor", query_params={})
    assert len(functions(page)) >= 15
    for function in functions(page):
        values = {block: block.value if isinstance(block, gr.State) else odd for block in function.inputs}
        with caplog.at_level(logging.WARNING):
            function.fn(values, gr.EventData(None, odd), request)
        assert caplog.messages == [], function.fn.__name__


def test_what_works_in_the_browser_alone_is_no_handler_of_the_server(page):
    browsers_own = {number for number, fn in page.handlers.items() if fn.fn is None}
    guard = next(one for one in launch_settings(page)["app_kwargs"]["middleware"] if "rules" in one.kwargs)
    assert browsers_own and set(guard.kwargs["rules"].arities) == set(page.handlers) - browsers_own
