"""A hub on this machine: the few requests of huggingface_hub that reading a file takes."""

import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GATED = "org/gated"


@contextmanager
def serving(repositories, token="secret"):
    """Serves repositories, each a dict of files, and yields the address and the list of requests.

    `org/gated` lists its files and gives them to nobody; `org/private` is there for who has the token.
    """
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self._answer(body=False)

        def do_GET(self):
            self._answer(body=True)

        def log_message(self, *args):
            pass

        def _answer(self, body):
            asked.append(f"{self.command} {self.path}")
            parts = self.path.strip("/").split("/")
            listing = parts[:2] == ["api", "models"]
            repo = "/".join(parts[2:4] if listing else parts[:2])
            revision = (parts[5:6] if listing else parts[3:4]) or ["main"]
            files = repositories.get(repo)
            if files is None or (repo == "org/private" and self.headers.get("authorization") != f"Bearer {token}"):
                return self._send(401, error="RepoNotFound")
            if revision[0] not in ("main", "v1", COMMIT):
                return self._send(404, error="RevisionNotFound")
            if listing:
                listed = [{"rfilename": name} for name in files]
                return self._send(200, json.dumps({"id": repo, "sha": COMMIT, "siblings": listed}).encode(), body)
            name = "/".join(parts[4:])
            if repo == GATED:
                return self._send(403, error="GatedRepo")
            if name not in files:
                return self._send(404, error="EntryNotFound")
            return self._send(200, files[name], body)

        def _send(self, status, content=b"", body=True, error=None):
            self.send_response(status)
            headers = {"Content-Length": len(content), "X-Repo-Commit": COMMIT}
            headers |= {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'} | ({"X-Error-Code": error} if error else {})
            for header, value in headers.items():
                self.send_header(header, str(value))
            self.end_headers()
            if body:
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
