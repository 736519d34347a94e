"""Which routes of the server are open: host names, routes and files that the page needs; headers on its answers."""

import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TypeGuard
from urllib.parse import parse_qs

API = "/gradio_api"
UPLOAD = f"{API}/upload"
MCP = f"{API}/mcp"
"""Tools for assistants, whose files come inside the request; shut in public."""

JOIN = f"{API}/queue/join"
NEWS = f"{API}/queue/data"
CALLS = (JOIN, f"{API}/run/predict")
"""Where handlers are called, to wait in a queue or past it; both take the same JSON."""

ENDINGS = (f"{API}/cancel", f"{API}/reset")
"""Where a page says that it waits for a call no more."""

FILE = f"{API}/file="
SCRIPTS = "/studio-"
"""Where the address of the page's own scripts begins, see studio.server.page_files."""
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_READ = re.compile(
    rf"/|/shared/[0-9a-f]{{32}}|{SCRIPTS}[0-9a-f]{{32}}\.js|/config/?|/theme\.css|/favicon\.ico|/robots\.txt"
    rf"|/manifest\.json|/(assets|static)/.*"
    rf"|{API}/(theme\.css|app_id/?|info/?|startup-events|queue/data|heartbeat/[\w-]{{1,64}}|file=.*"
    rf"|call/\w{{1,40}}/[\w-]{{1,64}})",
    re.DOTALL,
)
_WRITTEN = re.compile(rf"{API}/(queue/join|run/predict|upload|cancel|reset|call/\w{{1,40}})/?")
CHEAP = re.compile(rf"/(assets|static)/.*|{SCRIPTS}.*|{API}/file=.*", re.DOTALL)
"""Small files that a page fetches by the dozen."""

MAX_NAME = 1024
"""Letters of a file's name that are looked at; ours have 200."""

_PATH_BYTES, _PART_BYTES = 2048, 255
"""Of a whole path and of one name in it; for longer ones a system has errors of its own."""

_CONTENT = re.compile(r"[0-9a-f]{32,64}")
"""Of a folder that holds one file: Gradio names it after what was uploaded, the studio after what it has written."""

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^][:/@\s]+)(:\d{1,5})?", re.IGNORECASE)
_USUAL_PORTS = {"http": ":80", "https": ":443"}
EMBEDDERS = ("https://huggingface.co", "https://*.hf.space")


@dataclass(frozen=True)
class Routes:
    """What may be asked for.

    Attributes:
        public: only the routes that the page uses; otherwise all that Gradio has.
        hosts: names the server answers to, besides localhost and IP addresses; a page elsewhere cannot point a name of
            its own here and read the answers. One that begins with a dot stands for all that end so.
        folders: whose files may be fetched; whole paths.
        files: single files that may be fetched as well.
        local: nobody but this machine is listened to, so of all IP addresses only its own loopback ones are names.
    """

    public: bool
    hosts: frozenset[str]
    folders: tuple[Path, ...] = ()
    files: frozenset[Path] = frozenset()
    local: bool = False

    def knows_host(self, header: str) -> bool:
        """True for a Host header that belongs here."""
        parts = _HOST.fullmatch(header.strip())
        if parts is None:
            return False
        name = parts[1].lower().strip("[]").removesuffix(".")
        if name == "localhost" or name in self.hosts:
            return True
        if any(name.endswith(known) for known in self.hosts if known.startswith(".")):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return address.is_loopback or not self.local

    def is_allowed(self, method: str, path: str, query: bytes) -> bool:
        """True where the page asks for such things."""
        if len(path.encode()) > _PATH_BYTES or any(
            len(part.encode()) > _PART_BYTES for part in path.split("/")
        ):
            return False
        if path.startswith(FILE):
            return method in ("GET", "HEAD") and self.may_serve(path.removeprefix(FILE))
        if not self.public:
            return True
        if method in ("GET", "HEAD", "OPTIONS"):
            return _READ.fullmatch(path) is not None and b"deep_link" not in query
        return method == "POST" and _WRITTEN.fullmatch(path) is not None

    def may_serve(self, name: str) -> bool:
        """True for the name of a file that may be fetched, as the server has given it out: folder, content, file.

        Only the name is looked at, never the disk.
        """
        if len(name) > MAX_NAME or "\0" in name:
            return False
        path = PurePath(name)
        if path in self.files:
            return True
        return (
            path.parent.parent in self.folders
            and _CONTENT.fullmatch(path.parent.name) is not None
            and path.name != ".."
        )


def is_own_page(headers: Mapping[bytes, bytes], scheme: str, *, visits_page: bool) -> bool:
    """True for a request that this server's own page makes, or somebody who is no page: a person, a script.

    A browser says where the page comes from that asks: Origin with all that is sent and with what is read across
    origins, Sec-Fetch-Site with everything. No page can leave these out or change them.

    Args:
        headers: of the request.
        scheme: "http" or "https".
        visits_page: a page is asked for, by GET: whoever follows a link from elsewhere may come in.
    """
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
    if origin is not None:
        return origin.lower() in {
            f"{kind}://{name.lower().removesuffix(_USUAL_PORTS[kind])}".encode("latin-1")
            for name in named_hosts(headers)
            for kind in (scheme, "https")  # a proxy may take https off without saying so
            if kind in _USUAL_PORTS
        }
    if site in (None, b"same-origin", b"none"):
        return True
    return visits_page and headers.get(b"sec-fetch-mode") == b"navigate"


def named_hosts(headers: Mapping[bytes, bytes]) -> tuple[str, ...]:
    """All names by which a request calls this server: to a proxy as well, which Gradio believes."""
    names = [headers.get(b"host", b"")]
    if b"x-forwarded-host" in headers:
        names += headers[b"x-forwarded-host"].split(b",")
    return tuple(name.strip().decode("latin-1") for name in names)


def host_names(given: Iterable[str]) -> frozenset[str]:
    """Host names as Routes compares them."""
    return frozenset(name.strip().lower() for name in given) - {""}


def local_host_names() -> tuple[str, ...]:
    """The machine's names in its own network."""
    own = socket.gethostname().lower()
    short = own.partition(".")[0]
    return own, short, f"{short}.local"


def is_loopback(host: str) -> bool:
    """True for an address to listen on that only this machine reaches."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def session_in(path: str, query: bytes) -> str | None:
    """The visitor that a route names; None where it names none, "" where it names several."""
    if path.startswith(f"{API}/heartbeat/"):
        return path.removeprefix(f"{API}/heartbeat/")
    if path.rstrip("/") == NEWS:
        names = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("session_hash", [])
        return names[0] if len(names) == 1 else ""
    return None


def is_session(name: object) -> TypeGuard[str]:
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
