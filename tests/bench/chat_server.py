"""A chat endpoint of fixed latency in a process of its own: prepared bytes, sent as a server sends them.

    python -m tests.bench.chat_server --latency 2 --events 1000 --packing 25

It prints its port. A streamed answer is spread over the latency, `--packing` events to a packet; every packet is one
write and one HTTP chunk. An answer that is not streamed comes whole after the latency.
"""

import argparse
import asyncio
import json
import re
import resource

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\n{}\r\n\r\n"
LENGTH = re.compile(rb"content-length: *([0-9]+)", re.IGNORECASE)
STREAMED = re.compile(rb'"stream": *true')


def event(**fields: object) -> bytes:
    """One event in the shape that vLLM and DeepSeek send."""
    top = {"id": "chatcmpl-6f1b2c3d4e5f", "object": "chat.completion.chunk", "created": 1770000000, "model": "r1"}
    return b"data: " + json.dumps({**top, **fields}, separators=(",", ":")).encode() + b"\n\n"


def choice(finish_reason: str | None = None, **delta: object) -> bytes:
    one = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return event(system_fingerprint="fp_1", choices=[one], usage=None)


def packets(events: int, packing: int) -> list[bytes]:
    """Return the answer in packets of so many events, without the last ones: finish_reason, token counts, [DONE]."""
    thoughts = [choice(reasoning_content=" so", content=None) for _ in range(events * 4 // 5)]
    stream = [*thoughts, *(choice(content=" 72", reasoning_content=None) for _ in range(events - len(thoughts)))]
    usage = {"prompt_tokens": 40, "completion_tokens": events, "total_tokens": events + 40}
    stream += [choice("stop", content=""), event(choices=[], usage=usage), b"data: [DONE]\n\n"]
    parts = [b"".join(stream[start : start + packing]) for start in range(0, len(stream), packing)]
    return [f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts]


def whole(size_bytes: int) -> bytes:
    """Return an answer of one body."""
    text = "She walks on and counts. " * (size_bytes // 25)
    message = {"role": "assistant", "reasoning_content": text[: size_bytes * 4 // 5], "content": "It is **72**."}
    one = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 40, "completion_tokens": size_bytes // 4, "total_tokens": size_bytes // 4 + 40}
    row = {"id": "chatcmpl-6f1b", "object": "chat.completion", "model": "r1", "choices": [one], "usage": usage}
    body = json.dumps(row).encode()
    return HEAD.format("application/json", f"Content-Length: {len(body)}").encode() + body


class Chat(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self, latency_s: float, streamed: list[bytes], answer: bytes) -> None:
        self.latency_s, self.streamed, self.answer = latency_s, streamed, answer
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or length is None or len(body) < int(length[1]):
            return
        self.received = b""
        now = asyncio.get_running_loop().time()
        if not STREAMED.search(body):
            asyncio.get_running_loop().call_at(now + self.latency_s, self.transport.write, self.answer)
            return
        self.transport.write(HEAD.format("text/event-stream", "Transfer-Encoding: chunked").encode())
        self.send(0, now)

    def send(self, number: int, started: float) -> None:
        """Send packets when they are due; the last one at the latency."""
        loop, count = asyncio.get_running_loop(), len(self.streamed)
        while loop.time() >= (due := started + self.latency_s * (number + 1) / count):
            if self.transport.is_closing():
                return
            is_last = number + 1 == count
            self.transport.write(self.streamed[number] + (b"0\r\n\r\n" if is_last else b""))
            if is_last:
                return
            number += 1
        loop.call_at(due, self.send, number, started)


async def serve(arguments: argparse.Namespace) -> None:
    streamed, answer = packets(arguments.events, arguments.packing), whole(arguments.size)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Chat(arguments.latency, streamed, answer), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.chat_server")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds from a request to the end of its answer")
    parser.add_argument("--events", type=int, default=1000, help="events of a streamed answer")
    parser.add_argument("--packing", type=int, default=25, help="events to a packet")
    parser.add_argument("--size", type=int, default=40_000, help="bytes of an answer that is not streamed")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
