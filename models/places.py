"""Where the files lie that come with the project: beside the code in a checkout, inside a package once installed."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""What holds the packages models, training and studio."""
_INSTALLED = Path(__file__).resolve().parent / "installed"


def is_installed() -> bool:
    """Whether this is a package that was installed, and not a checkout."""
    return _INSTALLED.is_dir()


def shipped(name: str) -> Path:
    """A folder that comes with the project.

    Args:
        name: "assets", "checkpoints" or "docs/lessons".
    """
    return (_INSTALLED if is_installed() else ROOT) / name


def runs() -> Path:
    """Where training runs are kept unless somebody says otherwise: in a checkout, else where one stands."""
    return Path.cwd() / "runs" if is_installed() else ROOT / "runs"
