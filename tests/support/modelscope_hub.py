"""A ModelScope hub on this machine: repositories are folders; it keeps which files were asked for.

    with ModelScopeHub({"datasets/owner/name": folder}) as hub: monkeypatch.setenv("MODELSCOPE_ENDPOINT", hub.url)

It speaks the part of the hub's protocol that modelscope 1.40 uses to list and download: `repo/tree` and `repo/files`
name a repository's files with their hashes, `repo?FilePath=` sends one.
"""

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_PATH = re.compile(r"/api/v1/(?P<name>(?:models|datasets)/[^/]+/[^/]+)(?P<what>(?:/.*)?)")


class ModelScopeHub:
    """Serves folders as repositories of a hub until it is left."""

    def __init__(self, repositories: Mapping[str, Path]) -> None:
        self.repositories = dict(repositories)
        self.sent: list[tuple[str, str, str]] = []
        """Repository, revision and path of every file that was sent."""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                hub._answer(self)

            do_HEAD = do_GET  # noqa: N815  # the name that http.server looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        found = _PATH.fullmatch(parts.path)
        folder = self.repositories.get(found["name"]) if found else None
        if found is None or folder is None:
            _send(request, json.dumps({"Code": 404, "Success": False, "Message": "not found"}).encode(), status=404)
        elif found["what"] == "/repo":
            path, revision = query["FilePath"], query.get("Revision", "")
            if request.command == "GET":
                self.sent.append((found["name"], revision, path))
            _send(request, (folder / path).read_bytes(), kind="application/octet-stream")
        else:
            data: Any = {"Name": found["name"]}
            if found["what"] in ("/repo/files", "/repo/tree"):
                data = {"Files": [_described(path, folder) for path in sorted(folder.rglob("*"))]}
            elif found["what"] == "/revisions":
                names = [{"Revision": name, "CreatedAt": 0} for name in ("master", COMMIT)]
                data = {"RevisionMap": {"Branches": names, "Tags": []}}
            _send(request, json.dumps({"Code": 200, "Success": True, "Data": data}).encode())


def _described(path: Path, folder: Path) -> dict[str, Any]:
    inner = path.relative_to(folder).as_posix()
    if path.is_dir():
        return {"Path": inner, "Name": path.name, "Type": "tree", "Size": 0}
    content = path.read_bytes()
    hashed = {"Sha256": hashlib.sha256(content).hexdigest(), "CommitId": COMMIT, "Revision": COMMIT}
    return {"Path": inner, "Name": path.name, "Type": "blob", "Size": len(content), **hashed}


def _send(
    request: BaseHTTPRequestHandler, content: bytes, *, status: int = 200, kind: str = "application/json"
) -> None:
    first = 0
    if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range") or ""):
        first, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        content = content[first : last + 1]
    else:
        request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(content)
