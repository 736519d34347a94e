"""Gradio is imported without its writing of type stubs, and works."""

import subprocess
import sys

from tests.paths import REPOSITORY

PROGRAM = """
from pathlib import Path
from studio.server.type_stubs import skip_type_stubs
skip_type_stubs()
read = Path.read_text
seen = []
Path.read_text = lambda self, *more, **named: seen.append(self.suffix) or read(self, *more, **named)
import gradio
with gradio.Blocks() as page:
    box = gradio.Textbox("a")
    box.change(lambda text: text, box, box)
class Own(gradio.HTML):
    pass
print(seen.count(".pyi"), len(page.fns), Own.__mro__[1].__name__)
"""


def test_no_stub_is_looked_at_and_components_keep_their_events() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "1", "HTML"]


def test_without_it_stubs_are_looked_at() -> None:
    """So that the test above would notice if Gradio did this elsewhere."""
    program = PROGRAM.replace("\nskip_type_stubs()\n", "\n")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert int(done.stdout.split()[0]) > 20
