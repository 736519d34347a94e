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
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 opens it to the network"
    )
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument(
        "--device", default=None, help="cpu, cuda, cuda:1 or mps; the best there is when left out"
    )
    parser.add_argument(
        "--checkpoints", type=Path, default=CHECKPOINTS, help="folder with one folder per model"
    )
    return parser.parse_args()


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
    except OSError as error:
        print(f"{arguments.host}:{arguments.port} cannot be used: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
