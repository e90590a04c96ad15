"""A judge on a real socket that says what a test wants it to say."""

import re

from tests.support.fault_server import DONE, FINISH, USAGE, FaultServer, delta, kept_open

NONCE = re.compile(r"<answer ([0-9a-f]{16})>")


def says(reply):
    """A server that replies with this text; `NONCE` in it stands for the question's own, or `reply` decides."""

    def answer(request):
        text = reply(request.prompt) if callable(reply) else reply
        if nonce := NONCE.search(request.prompt):
            text = text.replace("NONCE", nonce[1])
        events = b"".join([delta(role="assistant", content=text), FINISH, USAGE, DONE])
        return (kept_open(events, "text/event-stream"),)

    return FaultServer(answer=answer)


def verdict(word):
    return f'{{"nonce":"NONCE","verdict":"{word}"}}'


def by_truth(prompt):
    return verdict("correct" if "capital of France" in prompt else "wrong")
