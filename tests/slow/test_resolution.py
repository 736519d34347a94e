"""What the requirements install on other systems, from wheels alone: the package index is asked, over a network."""

import functools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import REPOSITORY
from tests.present import present

UV = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv")
SYSTEMS = {
    "Linux": "x86_64-unknown-linux-gnu",
    "Linux on ARM": "aarch64-unknown-linux-gnu",
    "Windows": "x86_64-pc-windows-msvc",
    "Windows on ARM": "aarch64-pc-windows-msvc",
    "macOS": "aarch64-apple-darwin",
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
WITHOUT_PYJPEGIO = {("Linux on ARM", python) for python in PYTHONS} | {(system, "3.14") for system in SYSTEMS}
NO_TORCH = "Windows on ARM"
"""The index has no torch in our range for it; the day it has, this test asks for a change."""


def resolved(requirements, system, python):
    """The names and versions, or the reason why there are none; uv works with this Python rather than fetch another."""
    done = subprocess.run(
        [
            *(
                present(UV),
                "pip",
                "compile",
                "--quiet",
                "--no-header",
                "--no-annotate",
                "--only-binary",
                ":all:",
            ),
            *("--no-python-downloads", "--python", sys.executable),
            *("--python-platform", SYSTEMS[system], "--python-version", python, "-"),
        ],
        input=requirements,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        return None, done.stderr
    return dict(re.findall(r"^([\w.-]+)==(\S+)", done.stdout, re.M)), ""


@functools.cache
def why_not():
    """The reason why nothing can be asked here; "" where it can."""
    if UV is None:
        return "uv is not installed; requirements-dev.txt has it"
    try:
        found, problem = resolved("tqdm", "Linux", "3.12")
    except subprocess.TimeoutExpired:
        return "the package index does not answer"
    return "" if found else f"the package index cannot be asked: {problem.strip().splitlines()[-1]}"


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
def test_wheels_alone_suffice(system, python):
    if why_not():
        pytest.skip(why_not())
    requirements = (REPOSITORY / "requirements.txt").read_text()
    found, problem = resolved(requirements, system, python)
    if system == NO_TORCH:
        torch = present(re.search(r"^torch.*$", requirements, re.M))[0]
        assert found is None and resolved(torch, system, python)[0] is None, (
            f"{system} works now: say so in README.md"
        )
        return
    assert found, problem
    assert tuple(map(int, found["torch"].split(".")[:2])) >= (2, 9)
    assert ("pyjpegio" in found) == ((system, python) not in WITHOUT_PYJPEGIO)
