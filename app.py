"""Starts the studio: python app.py [--host HOST] [--port PORT] [--device DEVICE] [--checkpoints FOLDER]."""

import argparse
import logging
import os
import sys
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported

from models.errors import RestorationError  # noqa: E402
from models.zoo import Zoo  # noqa: E402
from studio.interface import build_studio, launch_settings  # noqa: E402
from studio.pictures import own_temporary_folder  # noqa: E402

CHECKPOINTS = Path(__file__).resolve().parent / "checkpoints"


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="JPEG Restoration Studio")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 opens the studio to the network")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--device", help="cpu, cuda, cuda:1 or mps; the best there is when left out")
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="folder with one folder per model"
    )
    arguments = parser.parse_args()
    if not 1 <= arguments.port <= 65535:
        parser.error(f"--port is {arguments.port}. Ports from 1 to 65535 are allowed. 7860 is the usual one.")
    return arguments


def main() -> int:
    """Build the page and serve it until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    arguments = parse_arguments()
    os.environ.setdefault("GRADIO_TEMP_DIR", str(own_temporary_folder()))
    try:
        studio = build_studio(Zoo(arguments.checkpoints, arguments.device))
    except RestorationError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"JPEG Restoration Studio: http://{arguments.host}:{arguments.port}", flush=True)
    try:
        studio.launch(server_name=arguments.host, server_port=arguments.port, **launch_settings())
    except OSError:
        print(
            f"Port {arguments.port} on {arguments.host} is taken or not allowed. Choose another: --port 7861",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
