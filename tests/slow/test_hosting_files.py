"""What Spaces, Docker and a proxy read: complete, consistent, and naming only what exists."""

import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from gradio_client import Client, handle_file
from packaging.requirements import Requirement
from packaging.version import Version
from PIL import Image

from studio.server.hosting import hosting
from tests.paths import REPOSITORY
from tests.present import present

LARGEST_WITHOUT_LFS = 10_000_000
SPACE_COLORS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
DOCUMENT = (REPOSITORY / "docs" / "hosting.md").read_text("utf-8")
NGINX = shutil.which("nginx")
SLOWEST_SECONDS = 240


@pytest.fixture(scope="module")
def front():
    return yaml.safe_load((REPOSITORY / "README.md").read_text("utf-8").split("---")[1])


@pytest.fixture(scope="module")
def requirements():
    lines = [
        line.split("#")[0].strip() for line in (REPOSITORY / "requirements.txt").read_text().splitlines()
    ]
    return [Requirement(line) for line in lines if line]


@pytest.fixture(scope="module")
def instructions():
    content: Any = BytesIO((REPOSITORY / "Dockerfile").read_bytes())  # bytes, whatever the parser's types say
    parser = DockerfileParser(fileobj=content)
    return [(one["instruction"], one["value"]) for one in parser.structure if one["instruction"] != "COMMENT"]


def test_the_front_matter_is_a_space(front, requirements):
    assert {"title", "emoji", "colorFrom", "colorTo", "sdk", "app_file", "license", "tags"} <= set(front)
    assert {front["colorFrom"], front["colorTo"]} <= SPACE_COLORS
    assert re.fullmatch(r"\d+\.\d+\.\d+", front["sdk_version"])
    assert front["python_version"] == "3.12"  # the one of ZeroGPU that the studio runs on
    assert len(front["short_description"]) <= 60


def test_torch_fits_zero_gpu_and_the_image(requirements, instructions):
    (torch,) = (one for one in requirements if one.name == "torch")
    assert torch.marker is None
    assert torch.specifier.contains("2.9.0") and torch.specifier.contains("2.13.0")
    assert not torch.specifier.contains("2.8.0")  # it has no Muon
    assert not torch.specifier.contains("2.14.0")  # ZeroGPU has none later than 2.13
    told = dict(value.split("=", 1) for name, value in instructions if name == "ARG")
    assert torch.specifier.contains(told["TORCH"])


def test_the_lock_file_holds_what_is_required_with_hashes(requirements):
    lock = (REPOSITORY / "requirements.lock").read_text()
    entries = re.findall(
        r"^([\w.-]+)==(\S+)[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}[^\n]*\n)+)", lock, re.M
    )
    assert len(entries) == len(re.findall(r"^[\w.-]+==", lock, re.M)) > 50
    locked = {}
    for name, version, _ in entries:
        locked.setdefault(name, []).append(version)
    for one in requirements:
        if one.name != "torch":
            assert all(one.specifier.contains(version) for version in locked[one.name]), one
    assert "torch" not in locked and not [name for name in locked if name.startswith(("nvidia", "triton"))]
    assert "://" not in lock


def test_every_package_that_is_imported_is_required(requirements):
    imported = set()
    for room in ("models", "training", "studio"):
        for path in (REPOSITORY / room).rglob("*.py"):
            found = re.findall(r"^(?:import|from) (\w+)", path.read_text("utf-8"), re.M)
            imported |= set(found)
    imported -= {*sys.stdlib_module_names, "models", "training", "studio"}
    names = {"PIL": "pillow", "cv2": "opencv-python-headless", "yaml": "pyyaml"}
    names |= {
        "skimage": "scikit-image",
        "markdown_it": "markdown-it-py",
        "python_multipart": "python-multipart",
    }
    comes_with_gradio = {
        "httpx",
        "anyio",
        "gradio_client",
    }
    required = {one.name.lower() for one in requirements}
    assert {names.get(name, name) for name in imported} - comes_with_gradio <= required


@pytest.mark.parametrize(
    ("package", "holed", "mended"),
    [
        ("pillow", "12.2.0", "12.3.0"), ("fastapi", "0.131.0", "0.132.0"), ("starlette", "0.49.0", "0.49.1"),
        ("python-multipart", "0.0.26", "0.0.27"),
    ],
)  # fmt: skip
def test_versions_with_known_holes_are_not_taken(requirements, package, holed, mended):
    (specifier,) = {one.specifier for one in requirements if one.name == package}
    assert not specifier.contains(Version(holed)) and specifier.contains(Version(mended))


def test_strangers_pictures_are_opened_by_a_pillow_without_known_overflows(instructions):
    """Gradio's own cap keeps it out of every other install."""
    command = 'pip install --no-cache-dir --no-deps "pillow>=13"'
    places = [
        number for number, (name, value) in enumerate(instructions) if name == "RUN" and command in value
    ]
    required = [number for number, (name, value) in enumerate(instructions) if "-r requirements." in value]
    assert places and required and places[0] >= required[0]
    assert 'pip install --no-deps "pillow>=13"' in DOCUMENT


def test_no_file_needs_lfs():
    if shutil.which("git") is None or not (REPOSITORY / ".git").exists():
        pytest.skip("no git repository")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    large = [path for path in paths if path.is_file() and path.stat().st_size > LARGEST_WITHOUT_LFS]
    assert large == []


def test_packages_are_plain_names_of_debian():
    lines = (REPOSITORY / "packages.txt").read_text().splitlines()
    assert lines and all(
        re.fullmatch(r"[a-z0-9][a-z0-9.+-]+", line) for line in lines
    )  # a comment would be installed


def test_the_dockerfile_copies_what_there_is_and_all_the_program(instructions):
    copied = set()
    for name, value in instructions:
        assert name in {
            *(
                "FROM",
                "ARG",
                "WORKDIR",
                "COPY",
                "RUN",
                "USER",
                "ENV",
                "EXPOSE",
                "HEALTHCHECK",
                "ENTRYPOINT",
                "CMD",
            )
        }
        if name == "COPY":
            *sources, _ = value.split()
            assert all((REPOSITORY / source).exists() for source in sources), value
            copied |= set(sources)
    assert {
        "app.py",
        "models",
        "training",
        "studio",
        "assets",
        "docs",
        "checkpoints",
        "requirements.lock",
    } <= copied
    ignored = (REPOSITORY / ".dockerignore").read_text().split()
    assert not copied & set(ignored)


def test_the_image_runs_the_studio_in_public_and_without_rights(instructions):
    told = dict(instructions)
    entry, more = json.loads(told["ENTRYPOINT"]), json.loads(told["CMD"])
    assert entry[:2] == ["python", "app.py"]
    assert hosting({}, [*entry[2:], *more]).public
    assert hosting({}, entry[2:]).host == "0.0.0.0"
    order = [name for name, _ in instructions]
    assert order.index("USER") < order.index("ENTRYPOINT") and told["USER"] not in ("root", "0")
    assert told["EXPOSE"] == str(hosting({}, []).port)
    program = json.loads(told["HEALTHCHECK"].split("CMD", 1)[1])
    compile(program[2], "HEALTHCHECK", "exec")


def test_documented_servers_take_their_options():
    commands = re.findall(r"^python app\.py(.*)$|jpeg-studio (--.*)$", DOCUMENT, re.M)
    assert len(commands) >= 4
    for arguments in commands:
        words = "".join(arguments).split()
        if words[:1] != ["export-space"]:
            hosting({}, words)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(url, process, **headers):
    until = time.monotonic() + SLOWEST_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"it ended with {process.returncode}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
                return answer.status
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(f"{url} did not answer in time")


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed; the documented proxy is tried where it is")
def test_the_documented_proxy_passes_everything_on(tmp_path):
    inner, outer = free_port(), free_port()
    block = present(re.search(r"```nginx\n(.*?)```", DOCUMENT, re.S))[1]
    block = block.replace("listen 80;", f"listen 127.0.0.1:{outer};").replace(
        "127.0.0.1:7860", f"127.0.0.1:{inner}"
    )
    places = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"user root; daemon off; pid {tmp_path}/pid; error_log stderr; events {{}} "
        f"http {{ access_log off; {places} {block} }}"
    )
    server = subprocess.Popen(
        [sys.executable, "app.py", "--public", "--port", str(inner), "--allow-host", "studio.example.org"],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    proxy = subprocess.Popen([present(NGINX), "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{outer}"
        assert wait_for(f"{address}/", server, Host="studio.example.org") == 200
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(
                urllib.request.Request(f"{address}/", headers={"Host": "evil.example"}), timeout=30
            )
        photo = tmp_path / "photo.jpg"
        Image.effect_noise((640, 480), 60).convert("RGB").save(photo, quality=20)
        client = Client(address, verbose=False, download_files=str(tmp_path / "files"))
        answer = client.predict(handle_file(photo), models=["reapply"], api_name="/restore")
        assert Path(answer["results"][0]["file"]).stat().st_size > 1000
    finally:
        for process in (proxy, server):
            process.terminate()
            process.wait(60)
