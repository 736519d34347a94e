"""The documents are true: their commands exist, their links lead somewhere, their tree is the tree."""

import re
import subprocess
import sys

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.paths import REPOSITORY

DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("**/*.md")])
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(
    {
        line.strip().removeprefix(".venv/bin/")
        for path in DOCUMENTS
        for block in re.findall(r"```\n(.*?)```", path.read_text(encoding="utf-8"), re.S)
        for line in block.splitlines()
        if re.match(r"\s*(\.venv/bin/)?python3? (-m (training|studio)|app)", line)
    }
)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_exist(path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} names {target}"


def test_commands_were_found() -> None:
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("program", sorted({" ".join(command.split()[1:3]) for command in COMMANDS}))
def test_options_in_documented_commands_exist(program: str) -> None:
    arguments = program.split() if program.startswith("-m") else ["app.py"]
    result = subprocess.run(
        [sys.executable, *arguments, "--help"], cwd=REPOSITORY, capture_output=True, text=True, timeout=200
    )
    assert result.returncode == 0, result.stderr
    for command in COMMANDS:
        if " ".join(command.split()[1:3]) == program:
            for option in re.findall(r" (--?[a-z][a-z-]*)", command.replace(" -m ", " ", 1)):
                assert re.search(rf"(?<![\w-]){option}\b", result.stdout), f"{option} in: {command}"


def test_files_named_in_commands_exist() -> None:
    for command in COMMANDS:
        for config in re.findall(r"training/configs/[\w-]+\.yaml", command):
            assert (REPOSITORY / config).exists() or "blur" in config, command


def test_every_line_of_the_tree_is_a_file_or_folder() -> None:
    tree = README.split("## Where things are")[1].split("```")[1]
    parent = ""
    for line in tree.strip().splitlines():
        name = re.match(r"( *)([\w.-]+/?)", line)
        assert name, line
        path = (parent if name[1] else "") + name[2]
        assert (REPOSITORY / path).exists(), path
        if not name[1]:
            parent = path if path.endswith("/") else ""


def test_front_matter_makes_a_space() -> None:
    front = yaml.safe_load(README.split("---")[1])
    assert front["sdk"] == "gradio" and (REPOSITORY / front["app_file"]).exists()
    locked = re.search(r"^gradio==(\S+)", (REPOSITORY / "requirements.lock").read_text(), re.M)
    allowed = re.search(r"^gradio(\S+)", (REPOSITORY / "requirements.txt").read_text(), re.M)
    assert locked and front["sdk_version"] == locked[1]
    assert allowed and locked[1] in SpecifierSet(allowed[1])
    assert len(front["short_description"]) <= 60
