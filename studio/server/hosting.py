"""For whom and where the page is served: what app.py is told, and what Hugging Face Spaces changes in it."""

import argparse
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.command_line import add_common_options
from models.places import runs, shipped
from models.runtimes.names import RuntimeName, add_runtime_option

PRIVATE_NETWORKS = "127.0.0.1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
"""Where the proxy of Spaces stands: only its word for who asks is taken."""


@dataclass(frozen=True)
class Hosting:
    """How the studio is served.

    Attributes:
        public: for strangers: no training, nothing that touches the disk, everybody's fair share.
        host, port: where it listens.
        names: host names it answers to, besides IP addresses, localhost and the machine's own; one that begins with a
            dot stands for all that end so.
        device: "cpu", "cuda", "cuda:1" or "mps"; None takes the best there is.
        runtime: what runs networks on the processor.
        checkpoints: a folder with one folder per model.
        runs: a folder with one folder per training run.
        mcp: also a server of the Model Context Protocol, for assistants on this machine.
        quiet: nothing is logged but warnings.
        dry_run: say what would be served, and end.
    """

    public: bool
    host: str
    port: int
    names: tuple[str, ...]
    device: str | None
    runtime: RuntimeName
    checkpoints: Path
    runs: Path
    mcp: bool
    quiet: bool = False
    dry_run: bool = False


def hosting(environment: MutableMapping[str, str], arguments: Sequence[str] | None = None) -> Hosting:
    """What the command line and the environment say; ends the program with a sentence where that is wrong.

    Args:
        environment: of the process; on Spaces it is told whose word about addresses the server may take.
        arguments: instead of the command line's.
    """
    told = _parser().parse_args(arguments)
    if not 1 <= told.port <= 65535:
        _parser().error(f"--port is {told.port}. Ports from 1 to 65535 are allowed. 7860 is the usual one.")
    on_spaces = "SPACE_ID" in environment
    if told.mcp and (told.public or on_spaces):
        _parser().error(
            "--mcp was given for strangers too. It is for this machine and its owner. Leave one out."
        )
    names = tuple(told.allow_host)
    if on_spaces:
        environment.setdefault("FORWARDED_ALLOW_IPS", PRIVATE_NETWORKS)
        names = (*names, environment.get("SPACE_HOST", ""), ".hf.space")
    return Hosting(
        public=told.public or on_spaces,
        host=told.host or ("0.0.0.0" if on_spaces else "127.0.0.1"),
        port=told.port,
        names=names,
        device=told.device,
        runtime=told.runtime,
        checkpoints=told.checkpoints,
        runs=told.runs,
        mcp=told.mcp,
        quiet=told.quiet,
        dry_run=told.dry_run,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="JPEG Restoration Studio",
        epilog="export-space FOLDER instead of options writes what a Hugging Face Space needs.",
    )
    add_common_options(parser, dry_run="say what would be served, and end")
    parser.add_argument("--host", help="0.0.0.0 opens the studio to the network; 127.0.0.1 when left out")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--device", help="cpu, cuda, cuda:1 or mps; the best there is when left out")
    add_runtime_option(parser)
    parser.add_argument(
        "--checkpoints", type=Path, default=shipped("checkpoints"), help="folder with one folder per model"
    )
    parser.add_argument(
        "--runs", type=Path, default=runs(), help="folder with one folder per training run; not with --public"
    )
    parser.add_argument(
        "--public",
        action="store_true",
        help="for strangers: no training, nothing that touches the disk, a fair share for everybody",
    )
    parser.add_argument(
        "--mcp", action="store_true", help="also serve assistants by MCP; needs requirements-mcp.txt"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a host name the studio is reached by, besides the machine's own; can be given several times",
    )
    return parser
