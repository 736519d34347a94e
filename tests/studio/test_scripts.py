"""Modules of the page: joined in the order of their imports, each once, and never with two meanings of one name."""

import re

import pytest

from studio.page.scripts import IMPORT, joined
from studio.page.standalone import standalone_viewer
from tests.paths import REPOSITORY

STUDIO = REPOSITORY / "studio"
MODULES = sorted(STUDIO.rglob("*.js"))
BEHAVIORS = [path for path in MODULES if path.name == "behavior.js"]


def relative(path):
    return path.relative_to(STUDIO).as_posix()


@pytest.fixture
def module(tmp_path):
    """Writes a module and gives its path."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_what_is_imported_comes_first_and_once(module):
    module("low.js", "// Lowest.\nexport const low = 1;\n")
    module("shared/left.js", 'import { low } from "../low.js";\n\nexport function left() { return low; }\n')
    module("right.js", 'import {\n  low,\n} from "./low.js";\n\nexport let right = low;\n')
    entry = module(
        "behavior.js",
        'import { left } from "./shared/left.js";\nimport { right } from "./right.js";\n\nleft(right);\n',
    )
    text = joined(entry)
    assert not re.search(r"^(import|export)", text, re.MULTILINE)
    order = [text.index(words) for words in ("const low", "function left", "let right", "left(right)")]
    assert order == sorted(order) and text.count("const low") == 1


def test_scripts_are_strict_and_keep_their_names_to_themselves(module):
    text = joined(module("behavior.js", "const name = 1;\n"))
    assert text.startswith('(() => {\n"use strict";\n') and text.endswith("})();\n")


@pytest.mark.parametrize(
    "declared", ["function draw() {}", "const draw = 1;", "export async function draw() {}"]
)
def test_one_name_in_two_modules_is_an_error(module, declared):
    module("other.js", f"export const used = 1;\n{declared}\n")
    entry = module(
        "behavior.js", 'import { used } from "./other.js";\n\nexport function draw() { return used; }\n'
    )
    with pytest.raises(ValueError, match=r"behavior\.js and .*other\.js both declare draw\. Rename one"):
        joined(entry)


def test_modules_that_import_each_other_are_an_error(module):
    module("other.js", 'import { one } from "./behavior.js";\n\nexport const two = one;\n')
    entry = module("behavior.js", 'import { two } from "./other.js";\n\nexport const one = two;\n')
    with pytest.raises(ValueError, match="import each other"):
        joined(entry)


@pytest.mark.parametrize(
    "form", ['import "./x.js";', 'import x from "./x.js";', "export default 1;", "export { x };"]
)
def test_other_forms_are_an_error(module, form):
    with pytest.raises(ValueError, match="cannot be joined"):
        joined(module("behavior.js", f"{form}\n"))


@pytest.mark.parametrize("path", BEHAVIORS, ids=relative)
def test_every_component_joins(path):
    assert path.read_text("utf-8").rstrip().splitlines()[-1] in joined(path)


def test_every_module_belongs_to_a_component():
    reached = set()

    def follow(path):
        if path not in reached:
            reached.add(path)
            for address in IMPORT.findall(path.read_text("utf-8")):
                follow((path.parent / address).resolve())

    for path in BEHAVIORS:
        follow(path)
    assert reached == set(MODULES)


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_tab_imports_its_own_modules_and_those_of_the_page(path):
    room = path.relative_to(STUDIO).parts[0]
    for address in IMPORT.findall(path.read_text("utf-8")):
        assert (path.parent / address).resolve().relative_to(STUDIO).parts[0] in (room, "page")


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_are_short(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_the_viewer_for_a_page_of_its_own_holds_the_components_script():
    assert joined(STUDIO / "page" / "viewer" / "behavior.js") in standalone_viewer().script
