"""What servers do wrong, as scripts of the fault server, sorted by what becomes of the request."""

import gzip

from tests.support.fault_server import (
    DONE,
    EVENTS,
    FINISH,
    HANG,
    JSON,
    RESET,
    USAGE,
    Script,
    delta,
    event,
    spread,
    status,
    streamed,
    whole,
    words,
)

STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
GZIPPED = gzip.compress(streamed())

CUT_STREAMS: dict[str, Script] = {
    "no finish_reason": (EVENTS, *words(), DONE),
    "ended early": (EVENTS, *words()),
    "ended inside an event": (EVENTS, *words(), FINISH[:-20]),
    "ended inside a character": (EVENTS, 'data: {"x": "→'.encode()[:-1]),
    "reset before the head": (RESET,),
    "reset in the head": (EVENTS[:20], RESET),
    "reset before the first event": (EVENTS, RESET),
    "reset in the middle": (EVENTS, *words()[:3], RESET),
    "chunked, cut in the middle": (STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\nfff\r\n", *words()),
    "bad chunk length": (STREAM_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", *words()),
    "an error event": (EVENTS, *words(), event(error={"message": "worker died"}), DONE),
    "an error event with a status": (EVENTS, event(error={"message": "slow down", "code": 429})),
    "not JSON": (EVENTS, b"data: {broken\n\n"),
    "a list": (EVENTS, b"data: []\n\n"),
    "deep nesting": (EVENTS, b"data: " + b"[" * 100_000 + b"\n\n"),
    "half a character": (EVENTS, b'data: {"choices": [{"delta": {"content": "\\ud83d"}}]}\n\n'),
    "choices of another shape": (EVENTS, event(choices=[["x"]])),
    "nothing but [DONE]": (EVENTS, DONE),
    "nothing": (EVENTS,),
    "gzip garbage": (STREAM_HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", b"\x00garbage"),
    "gzip cut": (STREAM_HEAD + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n", GZIPPED[:40]),
    "the server gave up": (EVENTS, *words(), delta(finish_reason="insufficient_system_resource"), DONE),
}
CUT_ANSWERS: dict[str, Script] = {
    "empty body": (JSON,),
    "blank lines": (JSON, b"\n\n\n"),
    "HTML": (status(200, "<html>busy</html>", content_type="text/html"),),
    "HTML named JSON": (status(200, "<html>busy</html>"),),
    "an error": (status(200, '{"error": {"message": "busy"}}'),),
    "choices null": (status(200, '{"choices": null}'),),
    "no choices": (status(200, '{"choices": []}'),),
    "no message": (status(200, '{"choices": [{"message": null}]}'),),
    "a string": (status(200, '"busy"'),),
    "cut JSON": (JSON, whole()[:-5]),
    "shorter than its length": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", whole()),
    "not UTF-8": (JSON, b'{"x": "\xff"}'),
}
STATUSES: dict[str, Script] = {
    **{f"HTTP {code}": (status(code),) for code in (408, 409, 425, 429, 500, 502, 503, 504, 529)},
    "HTML with 502": (status(502, "<html>Bad Gateway</html>", content_type="text/html"),),
    "a broken head": (b"HTTP/9 lol\r\n\r\n",),
    "not HTTP": (b"\x00\x01\x02\r\n\r\n",),
}

KEEP_ALIVES = spread([b": keep-alive\n\n", b"\n", delta(content=""), event(choices=[])] * 100, 0.02)
SILENCES: dict[str, Script] = {
    "silence": (HANG,),
    "a head and silence": (EVENTS, HANG),
    "blank lines and keep-alives without end": (EVENTS, *KEEP_ALIVES, HANG),
    "silence in the middle": (EVENTS, *words(), HANG),
    "keep-alives from the middle on": (EVENTS, *words(), *KEEP_ALIVES, HANG),
}
"""Only a clock ends these."""

REFUSED: dict[str, Script] = {
    **{f"HTTP {code}": (status(code),) for code in (400, 404, 405, 406, 410, 413, 415, 422)},
    "HTML with 404": (status(404, "<html>Not Found</html>", content_type="text/html"),),
    "an error with its status in a 200": (status(200, '{"error": {"message": "too long", "code": 400}}'),),
    "a redirect to nowhere": (status(302, ""),),
}
"""Another attempt would end the same."""

SPENT = '{"error": {"message": "the balance is spent", "type": "insufficient_quota", "code": "insufficient_quota"}}'
STOPPING: dict[str, Script] = {
    **{f"HTTP {code}": (status(code),) for code in (401, 402)},
    "401 in a 200": (status(200, '{"error": {"message": "bad key", "code": 401}}'),),
    "a 429 that no waiting cures": (status(429, SPENT),),
}
"""No other request would fare better."""

TRUNCATED: Script = (EVENTS, *words(), delta(finish_reason="length"), USAGE, DONE)
