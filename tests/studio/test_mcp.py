"""python app.py --mcp: the endpoints as tools where the package is there, one sentence where it is not."""

import asyncio
import base64
import importlib.util
import subprocess
import sys
from typing import Any

import pytest

from models.jpeg import Save, encode
from studio.api.endpoints import mcp_settings
from studio.interface import build_studio, launch_settings
from studio.server.guard import OTHER_BYTES
from tests.paths import REPOSITORY
from tests.present import present

needs_mcp = pytest.mark.skipif(
    importlib.util.find_spec("mcp") is None,
    reason="mcp is not installed; pip install -r requirements-mcp.txt",
)


def test_without_the_package_the_program_ends_with_one_sentence():
    """In a process of its own, where Python takes the package for missing."""
    code = "import sys; sys.modules['mcp'] = None; from studio.program import main; sys.exit(main(['--mcp']))"
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 2 and ended.stdout == ""
    assert "pip install -r requirements-mcp.txt" in ended.stderr and "Traceback" not in ended.stderr


def test_strangers_get_no_tools():
    command = [sys.executable, "app.py", "--mcp", "--public"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    assert "Leave one out." in ended.stderr
    assert "Traceback" not in ended.stderr


@needs_mcp
def test_assistants_restore_what_they_send(zoo, photograph, tmp_path, monkeypatch):
    # The package is an extra.
    from mcp import ClientSession  # pyright: ignore[reportMissingImports]
    from mcp.client.streamable_http import (  # pyright: ignore[reportMissingImports]
        streamablehttp_client,
    )

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setattr("gradio.mcp.DEFAULT_TEMP_DIR", str(tmp_path))
    demo = build_studio(zoo)
    settings: dict[str, Any] = launch_settings(demo) | mcp_settings()
    demo.launch(server_name="127.0.0.1", prevent_thread_lock=True, **settings)
    data = encode(photograph.image.pixels.repeat(12, 0).repeat(12, 1), Save(95)).data
    data += bytes(OTHER_BYTES)  # more than a request may hold that brings no file
    picture = "data:image/jpeg;base64," + base64.b64encode(data).decode()

    async def asked() -> tuple[set[str], Any, Any]:
        address = f"{present(demo.local_url).rstrip('/')}/gradio_api/mcp/"
        async with streamablehttp_client(address) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = {tool.name for tool in (await session.list_tools()).tools}
            facts = await session.call_tool("inspect", {"picture": picture})
            wrong = await session.call_tool("restore", {"picture": picture, "models": ["nobody"]})
            return tools, facts, wrong

    try:
        tools, facts, wrong = asyncio.run(asyncio.wait_for(asked(), 300))
    finally:
        demo.close()
    assert tools == {"restore", "degrade", "measure", "inspect", "models"}
    assert not facts.isError and "'quality_factor_from_tables': 95" in facts.content[0].text
    assert wrong.isError and wrong.content[0].text.startswith("The model is 'nobody'.")
