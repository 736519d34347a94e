"""Starts the studio: python app.py [--host HOST] [--port PORT] [--public]; --help lists the rest."""

from models.interrupts import end_at_signals

if __name__ == "__main__":
    end_at_signals()  # before anything else is imported

import sys

from studio.program import main

if __name__ == "__main__":
    sys.exit(main())
