"""What all commands have in common; imports nothing that takes time, so that --help answers at once."""

import argparse
import importlib.metadata
import os
import sys
import tomllib
from pathlib import Path

PACKAGE = "jpeg-studio"
_PROJECT_FILE = Path(__file__).resolve().parent.parent / "pyproject.toml"


def begin() -> None:
    """What every command does before it imports anything large.

    No letter ends it: what a console or a pipe cannot show becomes an escape such as \\u65e5. And threads that wait for
    each other do not spin, which would take the processor from those they wait for as soon as another process runs:
    PyTorch's sleep, and NumPy, whose matrices are small here, multiplies in the thread that asks.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when PyTorch is imported
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is imported
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def version() -> str:
    """The project's version: of these files, or of the package that was installed."""
    try:
        project = tomllib.loads(_PROJECT_FILE.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == PACKAGE:
            return project["version"]
    except OSError:
        pass
    return importlib.metadata.version(PACKAGE)


def program(module: str) -> str:
    """What a command is called in its own help: as it was started."""
    name = Path(sys.argv[0]).stem
    return name if name.startswith("jpeg-") else f"python -m {module}"


class _Version(argparse.Action):
    """Looks the version up when asked only."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"{PACKAGE} {version()}")
        parser.exit()


def add_common_options(parser: argparse.ArgumentParser, *, dry_run: str) -> None:
    """--version, --quiet and --dry-run.

    Args:
        parser: of a command.
        dry_run: what is said instead of done.
    """
    parser.add_argument("--version", action=_Version, nargs=0, help="say which version this is, and end")
    parser.add_argument("--quiet", action="store_true", help="print results and mistakes only, no progress")
    parser.add_argument("--dry-run", action="store_true", help=dry_run)
