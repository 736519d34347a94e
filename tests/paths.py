"""Where tests find the repository and the shared image folder."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("JPEG_STUDIO_DATA", REPOSITORY / ".." / "shared" / "data")).resolve()
HOSTILE_FILES = sorted(
    path for path in (SHARED / "hostile").rglob("*") if path.is_file() and path.name != "MANIFEST.csv"
)

needs_shared_data = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"no image folder at {SHARED}; set JPEG_STUDIO_DATA to one"
)
