"""Keeps Gradio from writing type stubs for editors while it is imported.

For every component class Gradio parses its source twice and renders a .pyi file, to compare it with the one that is
there. That takes 1.9 of the 6.3 seconds of importing the studio, needs a package folder that may be written, and
changes nothing in the page.
"""

import importlib.abc
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

WRITER = "gradio.component_meta"


def skip_type_stubs() -> None:
    """Call before Gradio is imported; afterwards it changes nothing."""
    if WRITER not in sys.modules:
        sys.meta_path.insert(0, _WithoutStubs())


class _WithoutStubs(importlib.abc.MetaPathFinder):
    """Finds the module that writes stubs once, and takes the writing out when it has been run."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """As importlib asks for it: None for every other module."""
        if name != WRITER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_take_out(module: ModuleType) -> None:
                run(module)
                module.create_or_modify_pyi = lambda *_arguments: None

            spec.loader.exec_module = run_and_take_out
        return spec
