"""Starts the studio: python app.py [--host HOST] [--port PORT] [--public]; --help lists the rest."""

import sys

from studio.program import main

if __name__ == "__main__":
    sys.exit(main())
