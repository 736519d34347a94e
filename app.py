"""Starts the studio: python app.py [--host HOST] [--port PORT] [--public]; --help lists the rest."""

import logging
import os
import sys

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

from studio.hosting import hosting  # noqa: E402


def main() -> int:
    """Build the page and serve it until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    told = hosting(os.environ)  # first: mistakes are answered before anything large is imported

    from models.errors import RestorationError
    from models.zoo import Zoo
    from studio.interface import build_studio, launch_settings
    from studio.jobs import Jobs
    from studio.pictures import own_temporary_folder

    os.environ.setdefault("GRADIO_TEMP_DIR", str(own_temporary_folder()))
    try:
        jobs = None if told.public else Jobs(told.runs)
        zoo = Zoo(told.checkpoints, told.device, own_folder=jobs.published if jobs else None)
        studio = build_studio(zoo, jobs)
    except RestorationError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"JPEG Restoration Studio: http://{told.host}:{told.port}", flush=True)
    settings = launch_settings(studio, public=told.public, hosts=told.names)
    try:
        studio.launch(server_name=told.host, server_port=told.port, **settings)
    except OSError:
        print(
            f"Port {told.port} on {told.host} is taken or not allowed. Choose another: --port 7861",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
