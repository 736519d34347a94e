"""Writes what a Hugging Face Space needs into a folder: the parts that serve, nothing that trains or tests.

jpeg-studio export-space FOLDER, then: hf upload USER/SPACE FOLDER . --repo-type space
"""

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from models.command_line import program
from models.errors import InvalidSetting, RestorationError
from models.places import ROOT, is_installed

PARTS = ("app.py", "LICENSE", "packages.txt", "pyproject.toml", "models", "training", "studio")
"""Training too: the page measures with its metrics."""
DATA = ("assets", "checkpoints", "docs/lessons")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.part", ".*")
MAX_BYTES = 60_000_000


def export(folder: Path) -> int:
    """Write a Space.

    Args:
        folder: missing, or empty.

    Returns:
        How many bytes it holds.

    Raises:
        InvalidSetting: something is in the folder, or this is no checkout.
    """
    if is_installed():
        raise InvalidSetting(
            "A Space is made of the project's own files, and this is an installed package. Start the command in a "
            "checkout of the project: python app.py export-space FOLDER."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidSetting(
            f"{folder} is not empty. A Space is written into a new folder, so that nothing is replaced or uploaded by "
            "mistake. Name another one."
        )
    for name in (*PARTS, *DATA):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT_OUT)
        else:
            shutil.copy(source, target)
    front_matter = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n")[1]
    (folder / "README.md").write_text(f"---\n{front_matter}---\n", encoding="utf-8")
    (folder / "requirements.txt").write_text(pinned_requirements(_python_of(front_matter)), encoding="utf-8")
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _python_of(front_matter: str) -> str:
    [version] = re.findall(r'^python_version: "(.+)"$', front_matter, re.M)
    return version


def pinned_requirements(python: str) -> str:
    """requirements.txt with the lock file's versions.

    Spaces install it together with packages of their own, in one command, which rules out hashes, and versions of what
    is not required directly. torch keeps its range: ZeroGPU brings one of its own.

    Args:
        python: the Space's version, such as "3.12".
    """
    from packaging.requirements import Requirement

    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
    locked = {}
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    for line in re.findall(r"^([\w.-]+==.*?) ?\\?$", lock, re.M):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            locked[requirement.name] = f"{requirement.name}{requirement.specifier}"
    lines = []
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        requirement = Requirement(line.partition("#")[0])
        if requirement.marker is None or requirement.marker.evaluate(environment):
            lines.append(locked.get(requirement.name, f"{requirement.name}{requirement.specifier}"))
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    name = (
        program("studio.server.export_space").removeprefix("python -m studio.server.export_space") or "app.py"
    )
    parser = argparse.ArgumentParser(
        prog=f"{name} export-space", description="Write what a Hugging Face Space needs."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new one")
    asked = parser.parse_args(arguments)
    try:
        size = export(asked.folder)
    except RestorationError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{asked.folder} cannot be written ({error.strerror}). Name another folder.", file=sys.stderr)
        return 2
    print(
        f"{asked.folder}: {size / 1e6:.0f} MB. Upload it: hf upload USER/SPACE {asked.folder} . --repo-type space"
    )
    return 0
