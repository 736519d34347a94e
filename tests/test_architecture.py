"""The house rules that a program can check: import directions, sizes, and no network or torch where none belongs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import REPOSITORY
from tests.present import present

ROOMS = ("models", "training", "studio")  # each may import itself and those before it
FLOORS = (  # of the studio, likewise; rooms of one floor know nothing of each other
    {"engine"},
    {"server"},
    {"session"},
    {"page"},
    {"restore", "anatomy", "sweep", "train", "lessons", "catalog", "batch", "api"},
    {"privacy"},
    {"interface"},
    {"program"},
)
SOURCES = sorted(
    path
    for room in (*ROOMS, "app.py")
    for path in ([REPOSITORY / room] if room == "app.py" else (REPOSITORY / room).rglob("*.py"))
)
GRADIO_ROOMS = (
    "studio/interface.py",
    "studio/privacy.py",
    "studio/page/",
    "studio/server/",
    "app.py",
)
GRADIO_FILES = {"tab.py", "endpoints.py"}
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "misc.py", "common.py"}


def imported_modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
    return found


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_source_file_keeps_the_rules(path: Path) -> None:
    text, name, modules = path.read_text(encoding="utf-8"), relative(path), imported_modules(path)
    room = name.split("/")[0]
    allowed = ROOMS[: ROOMS.index(room) + 1] if room in ROOMS else ROOMS
    for module in modules:
        top = module.split(".")[0]
        assert top not in ROOMS or top in allowed, f"{name} must not import {module}"
    if name.startswith("models/jpeg/"):
        assert not any(module.split(".")[0] == "torch" for module in modules)
        assert all(
            not module.startswith("models.")
            or module.startswith(("models.jpeg", "models.errors", "models.images"))
            for module in modules
        )
    if not name.startswith(GRADIO_ROOMS) and path.name not in GRADIO_FILES:
        assert not any(module.split(".")[0] == "gradio" for module in modules), f"{name} must not know Gradio"
    assert path.name not in FORBIDDEN_NAMES
    assert len(text.splitlines()) <= 400, f"{name} has over 400 lines: two subjects?"
    if path.name == "__init__.py":
        assert not text.strip() or name == "models/jpeg/__init__.py"
    else:
        assert ast.get_docstring(ast.parse(text)), f"{name}: a module says in one sentence what lives here"


def test_no_import_of_the_studio_runs_back_up() -> None:
    floor_of = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
    back = []
    for path in SOURCES:
        parts = relative(path).removesuffix(".py").split("/")
        if parts[0] != "studio" or path.name in ("__init__.py", "__main__.py"):  # commands may start anything
            continue
        for module in imported_modules(path):
            if module.startswith("studio."):
                target = module.split(".")[1]
                if target != parts[1] and floor_of[target] >= floor_of[parts[1]]:
                    back.append(f"{relative(path)} imports {module}")
    assert not back


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = present(node.end_lineno) - node.lineno + 1
            documented = len((ast.get_docstring(node) or "").splitlines())
            assert length - documented <= 60, f"{relative(path)}: {node.name} has {length} lines"


def test_no_module_is_named_after_the_standard_library() -> None:
    taken = {path.stem for path in SOURCES} & set(sys.stdlib_module_names)
    assert taken <= {"__init__"}


def test_app_is_short() -> None:
    assert len((REPOSITORY / "app.py").read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("models.jpeg", "torch"),
        ("models.jpeg", "gradio"),
        ("training.trainer", "gradio"),
        *(  # they say first how threads are to wait, see models.command_line.begin
            (module, absent)
            for module in ("studio.program", "studio.restore.__main__", "training.evaluate", "training.train")
            for absent in ("numpy", "torch")
        ),
    ],
)
def test_importing_one_room_does_not_load_what_it_must_not_know(module: str, absent: str) -> None:
    if (
        not (REPOSITORY / (module.replace(".", "/") + ".py")).exists()
        and not (REPOSITORY / module.replace(".", "/")).is_dir()
    ):
        pytest.fail(f"{module} is gone; correct this list")
    code = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, timeout=120).returncode == 0
