"""What pyproject.toml cannot say: packages that lie elsewhere, and what the requirements files list."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

ROOT = Path(__file__).resolve().parent
EXTRAS = ("dev", "runtime", "scale", "ray", "mcp", "spandrel")
SHIPPED = {"assets": "assets", "checkpoints": "checkpoints", "docs.lessons": "docs/lessons"}


def listed(name: str) -> list[str]:
    """The packages of a requirements file and those it includes, without those of requirements.txt."""
    found = []
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        words = line.partition("#")[0].strip()
        if words.startswith("-r "):
            included = words.removeprefix("-r ").strip()
            found += [] if included == "requirements.txt" else listed(included)
        elif words:
            found.append(words)
    return found


places = {f"models.installed.{name}": folder for name, folder in SHIPPED.items()}
setup(
    packages=[*find_namespace_packages(include=["models*", "training*", "studio*"]), *places],
    package_dir={"": ".", **places},
    package_data={"": ["*.yaml", "*.css", "*.js", "*.html"], **dict.fromkeys(places, ["**/*"])},
    install_requires=listed("requirements.txt"),
    extras_require={name: listed(f"requirements-{name}.txt") for name in EXTRAS},
)
