"""Starts the studio: python app.py [--host HOST] [--port PORT] [--public]; --help lists the rest."""

import logging
import os
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

from models.errors import RestorationError  # noqa: E402
from studio.hosting import Hosting, hosting  # noqa: E402
from studio.type_stubs import skip_type_stubs  # noqa: E402
from studio.zero_gpu import zero_gpu  # noqa: E402


def main() -> int:
    """Build the page and serve it until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    told = hosting(os.environ)  # first: mistakes are answered before anything large is imported
    try:
        return serve(told)
    except RestorationError as error:
        print(error, file=sys.stderr)
        return 2


def serve(told: Hosting) -> int:
    """Everything after the command line; the exit code."""
    skip_type_stubs()
    spaces = zero_gpu(os.environ)  # before anything imports torch

    from models.zoo import Zoo
    from studio.interface import build_studio, launch_settings
    from studio.jobs import Jobs
    from studio.pictures import own_temporary_folder
    from studio.tabs.endpoints import mcp_settings
    from studio.zero_gpu_zoo import ZeroGpuZoo

    os.environ.setdefault("GRADIO_TEMP_DIR", str(own_temporary_folder()))
    jobs = None if told.public else Jobs(told.runs)
    own = jobs.published if jobs else None
    zoo = (
        ZeroGpuZoo(told.checkpoints, spaces) if spaces else Zoo(told.checkpoints, told.device, own_folder=own)
    )
    studio = build_studio(zoo, jobs)
    print(f"JPEG Restoration Studio: http://{told.host}:{told.port}", flush=True)
    settings = launch_settings(studio, public=told.public, hosts=told.names, host=told.host)
    settings |= mcp_settings() if told.mcp else {}
    try:
        studio.launch(server_name=told.host, server_port=told.port, **settings)
    except OSError:
        sentence = f"Port {told.port} on {told.host} is taken or not allowed. Choose another: --port 7861"
        print(sentence, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
