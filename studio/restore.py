"""Restores one file from the command line, on the same engine as the page.

python -m studio.restore INPUT -o OUTPUT.png --model cascade [--quality-factor N] [--blind] [--stages N]
"""

import argparse
import sys
from pathlib import Path
from threading import Event

from models.errors import InvalidSetting, RestorationError, UnreadableImage
from models.images import write_png
from models.jpeg import JpegImage
from models.restorer import Restoration
from models.zoo import Zoo
from studio.pipeline import Engine, Progress, RestoreRequest, StageOutputs
from studio.result_cache import ResultCache
from studio.session import Photograph, open_photograph
from studio.settings import whole
from studio.views.facts import tables_say
from studio.views.wording import seconds

CHECKPOINTS = Path(__file__).resolve().parent.parent / "checkpoints"


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line; exits with usage where it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m studio.restore", description="Restore one picture.")
    parser.add_argument("input", type=Path, help="JPEG, PNG, WebP, TIFF, ...")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the lossless PNG goes")
    parser.add_argument("--model", default="cascade", help="name of a checkpoint or baseline")
    guided = parser.add_mutually_exclusive_group()
    guided.add_argument("--quality-factor", type=int, default=None, help="1 to 100, set by hand")
    guided.add_argument("--blind", action="store_true", help="ignore the file's quantization tables")
    parser.add_argument("--stages", type=int, default=None, help="stop after that many stages")
    parser.add_argument("--device", default=None, help="cpu, cuda, cuda:1 or mps")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    return parser.parse_args(arguments)


def restore_file(arguments: argparse.Namespace) -> Restoration:
    """Read, restore, write.

    Raises:
        RestorationError: with a sentence for people.
    """
    if arguments.output.suffix.lower() != ".png":
        raise InvalidSetting(
            f"The output is called {arguments.output.name}. Results are written as PNG only, because that is "
            "lossless. Give it a name that ends in .png."
        )
    photograph = photograph_at(arguments.input)
    print(f"quality factor from the file's tables: {tables_say(photograph.image)}", file=sys.stderr)
    engine = Engine(Zoo(arguments.checkpoints, arguments.device), ResultCache(max_bytes=0))
    restoration = _run(engine, photograph.image, _request(arguments, photograph.key), arguments.model)
    try:
        write_png(restoration.pixels, arguments.output)
    except OSError as error:
        raise cannot_be_written(arguments.output, error) from error
    return restoration


def photograph_at(path: Path) -> Photograph:
    """Open a file.

    Raises:
        RestorationError: with a sentence for people.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableImage(
            f"{path} cannot be read: {error.strerror}. Any file this user may read is allowed. Check the path."
        ) from error
    return open_photograph(data, path.name)


def cannot_be_written(path: Path, error: OSError) -> InvalidSetting:
    """What people are told where a result finds no place."""
    return InvalidSetting(
        f"{path} cannot be written: {error.strerror or error}. The folder must exist and be writable. "
        "Choose another place."
    )


def _request(arguments: argparse.Namespace, key: str) -> RestoreRequest:
    factor, stages = arguments.quality_factor, arguments.stages
    guidance = "manual" if factor is not None else "pixels" if arguments.blind else "automatic"
    if factor is not None:
        factor = whole(factor, 1, 100, "The quality factor")
    if stages is not None:
        stages = whole(stages, 1, 99, "The number of stages")
    return RestoreRequest(key, (arguments.model,), None, guidance, factor, stages)


def _run(engine: Engine, image: JpegImage, request: RestoreRequest, model: str) -> Restoration:
    for item in engine.run_stages(image, request, Event()):
        if isinstance(item, Progress) and item.total and sys.stderr.isatty():
            print(f"\r{model}: tile {item.done} of {item.total}", end="", file=sys.stderr, flush=True)
        if isinstance(item, StageOutputs) and model in item.failures:
            raise RestorationError(item.failures[model])
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return item.restorations[model]


def main(arguments: list[str] | None = None) -> int:
    """0 where the picture was written; 2 with one sentence where not."""
    parsed = parse_arguments(arguments)
    try:
        restoration = restore_file(parsed)
    except RestorationError as error:
        print(error, file=sys.stderr)
        return 2
    steered = f", steered by {restoration.condition}" if restoration.condition else ""
    print(f"{parsed.output}: {parsed.model}, {seconds(restoration.seconds)}{steered}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
