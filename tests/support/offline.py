"""A machine without network."""

import socket
import urllib.request


def cut_off(monkeypatch):
    """Let no name be resolved, and no proxy be known."""

    def resolve(*_arguments, **_options):
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(urllib.request, "getproxies", dict)
