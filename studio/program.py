"""Starts the studio: python app.py, or jpeg-studio [--host HOST] [--port PORT] [--public]; --help lists the rest."""

import logging
import os
import sys
from collections.abc import Sequence
from typing import Any

from models.interrupts import end_at_signals

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

from models.command_line import begin  # noqa: E402
from models.errors import RestorationError  # noqa: E402
from studio.server.hosting import Hosting, hosting  # noqa: E402
from studio.server.temporary_folder import delete_own_folders, own_temporary_folder  # noqa: E402
from studio.server.zero_gpu import zero_gpu  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the page and serve it until interrupted, or write what hosts it elsewhere; the exit code."""
    end_at_signals()  # before anything large is imported
    begin()
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["export-space"]:
        from studio.server.export_space import main as export

        return export(words[1:])
    told = hosting(os.environ, words)  # first: mistakes are answered before anything large is imported
    level = logging.WARNING if told.quiet else logging.INFO
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        os.environ["GRADIO_TEMP_DIR"] = str(own_temporary_folder())  # read when gradio is imported, too
        return serve(told)
    except RestorationError as error:
        print(error, file=sys.stderr)
        return 2


def _mcp_settings() -> dict[str, Any]:
    from studio.api.endpoints import mcp_settings  # late: with it comes all of Gradio

    return mcp_settings()


def serve(told: Hosting) -> int:
    """Everything after the command line; the exit code."""
    end_at_signals(delete_own_folders)  # which ends the server, too
    spaces = zero_gpu(os.environ)  # before anything imports torch

    from models.zoo import Zoo

    settings = _mcp_settings() if told.mcp else {}  # what is missing is said before anything is built
    if not told.checkpoints.is_dir():
        print(
            f"There is no folder {told.checkpoints}; only what needs no network is offered.", file=sys.stderr
        )
    if told.dry_run:
        names = ", ".join(card.name for card in Zoo(told.checkpoints, told.device).cards())
        print(f"It would be served on http://{told.host}:{told.port}, with these models: {names}")
        return 0

    from studio.engine.zero_gpu_zoo import ZeroGpuZoo
    from studio.interface import build_studio, launch_settings
    from studio.train.jobs import Jobs

    jobs = None if told.public else Jobs(told.runs)
    own = jobs.published if jobs else None
    zoo = (
        ZeroGpuZoo(told.checkpoints, spaces)
        if spaces
        else Zoo(told.checkpoints, told.device, own_folder=own, runtime=told.runtime)
    )
    studio = build_studio(zoo, jobs)
    print(f"JPEG Restoration Studio: http://{told.host}:{told.port}", flush=True)
    settings |= launch_settings(studio, public=told.public, hosts=told.names, host=told.host)
    try:
        studio.launch(server_name=told.host, server_port=told.port, **settings)
    except OSError:
        sentence = f"Port {told.port} on {told.host} is taken or not allowed. Choose another: --port 7861"
        raise RestorationError(sentence) from None
    return 0
