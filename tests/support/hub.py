"""A small Hugging Face hub on the loopback interface: what the clients ask for when they load a model or a data set.

A repository is a folder: ``<root>/<kind>/<owner>/<name>/<revision>/`` with its files, where kind is "models" or "datasets" and
the revision's slashes are dashes ("refs-convert-parquet").
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

API = re.compile(r"/api/(models|datasets)/(.+?)(?:/(revision|tree|paths-info)/([^/]+)(?:/(.*))?)?$")
FILE = re.compile(r"/(datasets/)?(.+?)/resolve/([^/]+)/(.+)$")


class Hub(BaseHTTPRequestHandler):
    root: Path
    asked: list[str]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.asked.append(unquote(path))
        if found := API.match(path):
            kind, name, what, revision, below = found.groups()
            repository, revision = self.root / kind / unquote(name), unquote(revision or "main")
            if what in ("tree", "paths-info"):
                self.listing(revision_of(repository, revision), unquote(below or ""))
            else:
                self.describe(repository, revision)
        elif found := FILE.match(path):
            kind, name, revision, file = found.groups()
            self.serve(self.root / ("datasets" if kind else "models") / unquote(name), unquote(revision), unquote(file))
        else:
            self.refuse("EntryNotFound")

    def listing(self, folder: Path | None, below: str) -> None:
        """What lies in a folder of a revision, or everything below it."""
        if folder is None or not (folder / below).is_dir():
            self.refuse("EntryNotFound" if folder else "RevisionNotFound")
            return
        everything = parse_qs(urlsplit(self.path).query).get("recursive", ["false"])[0].lower() in ("true", "1")
        content = [
            {"type": "file", "size": p.stat().st_size, "oid": etag(p)} | {"path": p.relative_to(folder).as_posix()}
            if p.is_file()
            else {"type": "directory", "oid": commit(p), "path": p.relative_to(folder).as_posix()}
            for p in sorted((folder / below).rglob("*") if everything else (folder / below).iterdir())
        ]
        self.answer(json.dumps(content).encode(), {"Content-Type": "application/json"})

    def describe(self, repository: Path, revision: str) -> None:
        folder = revision_of(repository, revision)
        if folder is None:
            self.refuse("RevisionNotFound" if repository.is_dir() else "RepoNotFound")
            return
        files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        about = {"id": f"{repository.parent.name}/{repository.name}".removeprefix("models/"), "sha": commit(folder)}
        about |= {"siblings": [{"rfilename": f} for f in files], "tags": [], "downloads": 0, "likes": 0, "private": False}
        self.answer(json.dumps(about).encode(), {"Content-Type": "application/json"})

    def serve(self, repository: Path, revision: str, file: str) -> None:
        folder = revision_of(repository, revision)
        if folder is None or not (folder / file).is_file():
            self.refuse("EntryNotFound" if folder else "RevisionNotFound" if repository.is_dir() else "RepoNotFound")
            return
        self.answer((folder / file).read_bytes(), {"ETag": f'"{etag(folder / file)}"', "X-Repo-Commit": commit(folder)})

    def answer(self, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, code: str) -> None:
        self.answer(b"", {"X-Error-Code": code, "X-Error-Message": code}, 404)

    def log_message(self, *_) -> None:
        """Say nothing."""


def revision_of(repository: Path, revision: str) -> Path | None:
    """The folder of a revision, named by its branch or its commit."""
    folders = [p for p in repository.iterdir() if p.is_dir()] if repository.is_dir() else []
    return next((p for p in folders if revision in (commit(p), p.name) or revision.replace("/", "-") == p.name), None)


def commit(folder: Path) -> str:
    return hashlib.sha1(str(folder).encode()).hexdigest()


def etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def serving(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the repositories below ``root``; gives the address and a list of the paths that have been asked for."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Hub,), {"root": root, "asked": asked}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
