"""The names that Gradio does not publish: all in one file, each with its reason and what to do when it moves."""

import ast
import inspect
from functools import cache
from pathlib import Path

import gradio as gr
import pytest

from studio.server import gradio_internals
from studio.server.gradio_internals import StudioBlocks, prepare_for_many
from tests.paths import REPOSITORY

NAMES = {
    "fns": (
        "says which handlers there are: how many values each takes, its name and its places",
        "count them where the page connects them: studio.page.binding and studio.api.endpoints",
    ),
    "process_api": (
        "every step of a call passes here: it waits for its turn and gives its place back",
        "wrap the handlers where the page connects them, and hold the place in an asynchronous generator",
    ),
    "postprocess_data": (
        "an answer costs what it changes: without it, a small picture takes several times as long",
        "look for the function that builds the outputs, or leave it out and measure tests/load/test_crowd.py",
    ),
    "default_config": (
        "what visitors share of the page, instead of a copy and a description of 280 kB for each",
        "look for what gradio.state_holder copies for a new session; test_answers.py measures it",
    ),
    "_id": (
        "finds what a visitor holds of a state, so that a handler may change what is there by now",
        "look for how a session keeps the values of gr.State by their components",
    ),
    "state_data": (
        "what an open page holds on the server, to be bounded, and emptied at the press of a button",
        "look for where a session keeps the values of gr.State; tests/studio/test_public_memory.py watches it",
    ),
    "_queue": (
        "leads to the three names below",
        "look for what Blocks.queue() makes",
    ),
    "sleep_when_free": (
        "an idle server uses one percent of a core instead of five",
        "leave it out if the queue no longer looks a thousand times a second; tests/load/test_start.py measures it",
    ),
    "pending_messages_per_session": (
        "news of those who wait are kept while junk is dropped; who asks for news of nobody is refused",
        "look for where answers wait to be fetched; test_answers.py tells whether they are still dropped by age",
    ),
    "pending_event_ids_session": (
        "Gradio never forgets which calls were a visitor's, so junk would fill the memory",
        "leave it out if Gradio forgets by itself; news of a single call are found by it, too",
    ),
}

PLACE = "studio/server/gradio_internals.py"
STAND_INS = {"tests/studio/events.py", "tests/studio/test_tab_recipe.py"}
"""They answer events as Gradio does, without a server, and so know the same names."""

PUBLISHED = {"gradio", "gradio_client"}
SOURCES = [
    path
    for room in ("models", "training", "studio", "tests", "app.py")
    for path in ([REPOSITORY / room] if room == "app.py" else sorted((REPOSITORY / room).rglob("*.py")))
]


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def underscored() -> frozenset[str]:
    """Names with an underscore that Gradio's own objects have, but not what Python gives everything."""
    with gr.Blocks() as demo:
        objects = [demo, gr.HTML(), gr.State(), gr.Button(), gr.EventData(None, {}), demo.queue()._queue]
    names = {name for thing in objects for name in (*dir(type(thing)), *vars(thing))}
    return frozenset(name for name in names if name.startswith("_") and not name.startswith("__"))


def private_uses(path: Path) -> set[str]:
    """The private names of Gradio that a file uses, with their lines."""
    uses = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            uses |= {
                f"{alias.name}:{node.lineno}" for alias in node.names if alias.name.startswith("gradio.")
            }
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PUBLISHED:
            inner = node.module not in PUBLISHED
            uses |= {
                f"{node.module}.{alias.name}:{node.lineno}"
                for alias in node.names
                if inner or alias.name.startswith("_")
            }
        elif isinstance(node, ast.Attribute):
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if node.attr in NAMES or (node.attr in underscored() and not own):
                uses.add(f"{node.attr}:{node.lineno}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in NAMES:
            uses.add(f"{node.name}:{node.lineno}")
    return uses


@pytest.fixture(scope="module")
def demo():
    with StudioBlocks(analytics_enabled=False) as demo:
        state = gr.State([1])
        gr.Button("go").click(lambda value: value, state, state)
    prepare_for_many(demo)
    return demo


def test_there_are_ten_names_at_most_and_each_says_why_and_what_to_do():
    assert len(NAMES) <= 10
    assert all(len(why) > 20 and len(then) > 20 for why, then in NAMES.values())


def test_each_name_is_needed_and_stands_in_one_file():
    used = {use.rpartition(":")[0] for use in private_uses(REPOSITORY / PLACE)}
    assert used == set(NAMES)


@pytest.mark.parametrize("path", [path for path in SOURCES if relative(path) != PLACE], ids=relative)
def test_no_other_file_uses_a_private_name(path):
    if path == Path(__file__):
        return  # it looks whether they are there
    names = {use.rpartition(":")[0] for use in private_uses(path)}
    allowed = set(NAMES) if relative(path) in STAND_INS else set()
    assert names <= allowed, f"only {PLACE} knows Gradio's inside"


def test_a_private_name_is_found(tmp_path):
    """So that the test above would notice one."""
    for line in (
        "from gradio.blocks import BlockContext",
        "import gradio.utils",
        "from gradio import _simple",
        "page._queue.push(1)",
        "event._data['a']",
        "page.fns[3]",
        "class Own(gr.Blocks):\n    async def process_api(self): pass",
    ):
        (tmp_path / "a.py").write_text(line)
        assert private_uses(tmp_path / "a.py"), line
    (tmp_path / "a.py").write_text("import gradio as gr\nfrom gradio import themes\nself._data = event.row\n")
    assert private_uses(tmp_path / "a.py") == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_installed_gradio_has_the_name(demo, name):
    session = type("Session", (), {})
    owners = {
        "_id": gr.HTML(),
        "sleep_when_free": gr.Blocks().queue()._queue,
        "pending_messages_per_session": demo._queue,
        "pending_event_ids_session": demo._queue,
        "state_data": session_of(demo),
    }
    why, then = NAMES[name]
    assert hasattr(owners.get(name, gr.Blocks()), name), f"{name} is gone. It {why}. What to do: {then}."
    assert session


def session_of(demo):
    """What Gradio keeps of one visitor."""
    from gradio.state_holder import StateHolder

    holder = StateHolder()
    holder.set_blocks(demo)
    return holder["anna"]


def test_functions_that_are_overridden_take_what_gradio_gives():
    for name in ("process_api", "postprocess_data"):
        assert inspect.iscoroutinefunction(getattr(gr.Blocks, name))
        ours, theirs = (
            inspect.signature(getattr(kind, name)).parameters for kind in (StudioBlocks, gr.Blocks)
        )
        assert list(theirs)[:3] == list(ours)[:3] or name == "postprocess_data"
    given = inspect.signature(gr.Blocks.process_api).parameters
    assert {"block_fn", "inputs", "state", "request", "iterator", "session_hash", "event_id"} <= set(given)
    assert list(inspect.signature(gr.Blocks.postprocess_data).parameters) == [
        "self", "block_fn", "predictions", "state",
    ]  # fmt: skip


def test_a_visitors_page_is_a_layer_that_describes_nothing(demo):
    session = session_of(demo)
    assert not any(session.config_values.values())
    assert len(demo.get_config_file()["components"]) >= 2
    assert session.state_data == {} and gradio_internals.REST_SECONDS == demo._queue.sleep_when_free > 0.001
