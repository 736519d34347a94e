"""Pages that visitors share by an address nobody can guess, for as long as the pictures in them are kept."""

import re
from typing import Any

from starlette.responses import FileResponse, PlainTextResponse, Response

from studio.server.files import PictureFolder

SHARED = re.compile(r"/shared/([0-9a-f]{32})")
"""Where such a page is found."""

GONE = (
    "This comparison is not there any more. It is kept for a limited time, or until whoever shared it deletes their "
    "images or leaves. Ask them to share it again."
)
HEADERS = {
    "content-security-policy": "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline' "
    "blob:; worker-src blob:; style-src 'unsafe-inline'; img-src data: blob:; connect-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-robots-tag": "noindex, nofollow, noarchive",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
}
"""The page is whole: it asks for nothing, is no part of the studio's origin, and is neither indexed nor kept."""


class SharedPages:
    """Answers at their addresses; everything else is passed on."""

    def __init__(self, app: Any, pictures: PictureFolder) -> None:
        self._app, self._pictures = app, pictures

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """One connection."""
        named = SHARED.fullmatch(scope["path"]) if scope["type"] == "http" else None
        if named is None:
            await self._app(scope, receive, send)
            return
        response: Response
        page = self._pictures.shared_page(named[1]) if scope["method"] in ("GET", "HEAD") else None
        if page is None:
            response = PlainTextResponse(GONE, 404, headers=HEADERS)
        else:
            response = FileResponse(page, headers=HEADERS, media_type="text/html; charset=utf-8")
        await response(scope, receive, send)
