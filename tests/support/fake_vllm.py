"""A command `vllm` that serves no weights: it answers over HTTP with a text, and starts a process as vLLM does.

    home = install(tmp_path, text="It is 72.")
    monkeypatch.setenv("PATH", f"{home}:{os.environ['PATH']}")

What it was called with, what it was asked and which processes it is stands in files beside the command.
"""

import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def install(folder: Path, **behaviour: object) -> str:
    """Write the command to a folder of its own and return that folder, for PATH.

    `text`: what it answers; `start_s`: until it answers; `dies`: what it says before it ends with code 3;
    `ignores_term`: whether it must be killed.
    """
    home = folder / "bin"
    home.mkdir(parents=True)
    (home / "behaviour.json").write_text(json.dumps(behaviour))
    script = home / "vllm"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).resolve()} {home} "$@"\n')
    script.chmod(0o755)
    return str(home)


def asked(home: str) -> list[dict]:
    """The bodies of the requests, in order."""
    file = Path(home) / "asked.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def arguments(home: str) -> list[str]:
    """What it was last called with."""
    return json.loads((Path(home) / "arguments.json").read_text())


def processes(home: str) -> list[int]:
    """Ids of the processes of all its starts: each server and what it has started."""
    file = Path(home) / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def is_alive(pid: int) -> bool:
    """Whether a process runs: one that has ended and waits to be noticed does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _answer(body: dict, text: str) -> dict:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "delta": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 3}
    return {"id": "c", "model": body["model"], "object": "chat.completion", "choices": [choice], "usage": usage}


def _serve(home: Path, port: int, behaviour: dict) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with (home / "asked.jsonl").open("a") as file:
                file.write(json.dumps(body) + "\n")
            time.sleep(behaviour.get("answer_s", 0))
            row = json.dumps(_answer(body, behaviour.get("text", "It is 72.")))
            is_streamed = body.get("stream")
            said = f"data: {row}\n\ndata: [DONE]\n\n" if is_streamed else row
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream" if is_streamed else "application/json")
            self.end_headers()
            self.wfile.write(said.encode())

        def log_message(self, *_: object) -> None:
            return

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def main(home: Path, words: list[str]) -> None:
    behaviour = json.loads((home / "behaviour.json").read_text())
    (home / "arguments.json").write_text(json.dumps(words))
    if said := behaviour.get("dies"):
        sys.stderr.write(f"INFO starting\n{said}\n")
        sys.exit(3)
    if behaviour.get("ignores_term"):
        import signal

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with (home / "pids").open("a") as file:
        file.write(f"{os.getpid()}\n{worker.pid}\n")
    time.sleep(behaviour.get("start_s", 0))
    _serve(home, int(words[words.index("--port") + 1]), behaviour)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
