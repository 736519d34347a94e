"""Which doors of the server are open: host names, routes and files that the page needs; headers on its answers."""

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

API = "/gradio_api"
UPLOAD = f"{API}/upload"
MCP = f"{API}/mcp"
"""Tools for assistants, whose files come inside the request; shut in public."""

CALLS = (f"{API}/queue/join", f"{API}/run/predict")
"""Where handlers are called; both take the same JSON."""

FILE = f"{API}/file="
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_READ = re.compile(
    rf"/|/config/?|/theme\.css|/favicon\.ico|/robots\.txt|/manifest\.json|/(assets|static)/.*"
    rf"|{API}/(theme\.css|app_id/?|info/?|startup-events|queue/data|heartbeat/[\w-]{{1,64}}|file=.*"
    rf"|call/\w{{1,40}}/[\w-]{{1,64}})",
    re.DOTALL,
)
_WRITTEN = re.compile(rf"{API}/(queue/join|run/predict|upload|cancel|reset|call/\w{{1,40}})/?")
CHEAP = re.compile(rf"/(assets|static)/.*|{API}/file=.*", re.DOTALL)
"""Small files that a page fetches by the dozen."""

EMBEDDERS = ("https://huggingface.co", "https://*.hf.space")


@dataclass(frozen=True)
class Doors:
    """What may be asked for.

    Attributes:
        public: only the routes that the page uses; otherwise all that Gradio has.
        hosts: names the server answers to, besides IP addresses and localhost; a page elsewhere cannot point a name of
            its own here and read the answers. One that begins with a dot stands for all that end so.
        folders: whose files may be fetched.
        files: single files that may be fetched as well.
    """

    public: bool
    hosts: frozenset[str]
    folders: tuple[Path, ...] = ()
    files: frozenset[Path] = frozenset()

    def knows_host(self, header: str) -> bool:
        """True for a Host header that belongs here."""
        name = header.strip().lower()
        name = name[1 : name.find("]")] if name.startswith("[") else name.rpartition(":")[0] or name
        name = name.removesuffix(".")
        if name == "localhost" or name in self.hosts:
            return True
        if any(name.endswith(known) for known in self.hosts if known.startswith(".")):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def opens(self, method: str, path: str, query: bytes) -> bool:
        """True where the page asks for such things."""
        if path.startswith(FILE):
            return method in ("GET", "HEAD") and self.serves(path.removeprefix(FILE))
        if not self.public:
            return True
        if method in ("GET", "HEAD", "OPTIONS"):
            return _READ.fullmatch(path) is not None and b"deep_link" not in query
        return method == "POST" and _WRITTEN.fullmatch(path) is not None

    def serves(self, name: str) -> bool:
        """True for the name of a file that may be fetched."""
        if "\0" in name or "://" in name:
            return False
        try:
            place = Path(name).resolve()
        except (OSError, RuntimeError, ValueError):
            return False
        return place in self.files or any(place.is_relative_to(folder) for folder in self.folders)


def own_names(others: Iterable[str] = ()) -> frozenset[str]:
    """The machine's names in its own network, and others that were given to it."""
    own = socket.gethostname().lower()
    names = {own, own.partition(".")[0], *(name.strip().lower() for name in others)} - {""}
    return frozenset(names | {f"{own.partition('.')[0]}.local"})


def session_in(path: str, query: bytes) -> str | None:
    """The visitor that a route names; None where it names none."""
    if path.startswith(f"{API}/heartbeat/"):
        return path.removeprefix(f"{API}/heartbeat/")
    if path == f"{API}/queue/data":
        return parse_qs(query.decode("latin-1")).get("session_hash", [""])[0]
    return None


def is_session(name: object) -> bool:
    """True for what a page may call itself."""
    return isinstance(name, str) and _SESSION.fullmatch(name) is not None


def headers_for(embedders: Iterable[str]) -> tuple[tuple[bytes, bytes], ...]:
    """What goes with every answer.

    Gradio compiles its templates in the page, hence unsafe-eval, and writes its settings into it, hence
    unsafe-inline. Nothing else comes from anywhere but here; the viewer's worker is made from a blob.

    Args:
        embedders: pages that may show this one in a frame.
    """
    policy = {
        "default-src": "'self'",
        "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "worker-src": "'self' blob:",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "media-src": "'self' data: blob:",
        "connect-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": " ".join(("'self'", *embedders)),
    }
    written = "; ".join(f"{what} {where}" for what, where in policy.items())
    return (
        (b"content-security-policy", written.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"same-origin"),
    )
