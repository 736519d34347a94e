"""app.py with pictures that live for seconds: python tests/load/short_lived.py SECONDS, then app.py's arguments."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

if __name__ == "__main__":
    import app
    import studio.interface

    studio.interface.KEPT_SECONDS = studio.interface.SWEEP_SECONDS = int(sys.argv.pop(1))
    sys.exit(app.main())
