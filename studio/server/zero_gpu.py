"""Whether this is a Hugging Face Space with ZeroGPU; asked before torch is imported, so nothing here imports it."""

import importlib
from collections.abc import Mapping
from types import ModuleType

from models.errors import MissingExtra


def zero_gpu(environment: Mapping[str, str]) -> ModuleType | None:
    """The package `spaces` on a ZeroGPU Space, None elsewhere; to be called before torch touches CUDA.

    Args:
        environment: of the process; Spaces says SPACES_ZERO_GPU=true.

    Raises:
        MissingExtra: it is a ZeroGPU Space without the package.
    """
    if environment.get("SPACES_ZERO_GPU", "").lower() not in ("1", "t", "true"):
        return None
    try:
        return importlib.import_module("spaces")
    except ImportError as problem:
        raise MissingExtra(
            f"This Space has ZeroGPU, but the package spaces cannot be imported ({problem}). Spaces with sdk: gradio "
            "install it by themselves. Add a line 'spaces' to requirements.txt, or choose CPU hardware."
        ) from problem
