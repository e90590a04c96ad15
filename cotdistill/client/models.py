"""Which models a server has: GET /models, which costs nothing, asked before anything is paid for.

    GET https://api.deepseek.com/v1/models   {"object": "list", "data": [{"id": "deepseek-reasoner", …}, …]}

A wrong key, a host that does not exist, a model that the server does not have and an address without its `/v1` are
found so. A server need not have such a list: it is then taken as it is.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from cotdistill.client.connection import Connection, Server
from cotdistill.client.response_reader import Timeouts
from cotdistill.client.retries import Forbidden, NoAnswer, Transient, Unreachable, Unresolved
from cotdistill.errors import AccessRefused, TryAgainLater, UserError
from cotdistill.yamlfile import nearest

CONNECT_S = 3.0
PATIENCE_S = 4.0
"""For the whole answer: a list of models is a page of text, and whoever has none to show must not hold up the start."""
VERSION = "/v1"
WITHOUT_ALL_NAMES = (":",)
"""Marks in names of variants that no list holds, as OpenRouter's `deepseek/deepseek-r1:nitro`."""


class ServerFault(NamedTuple):
    """What is wrong with a server, and the option that says so."""

    option: str
    """`base_url`, `model` or `api_key_env`."""
    fault: UserError


class ServerReport(NamedTuple):
    """What was found out about one server."""

    note: str
    """What it said, for people."""
    fault: ServerFault | None = None
    is_silent: bool = False
    """Whether it took the question and gave no answer: that may be as well, and nobody waits for more."""


class _Silent(Exception):
    """The server takes the question and says nothing."""


class _NoList(Exception):
    """The server answers, and not with a list of models; its message says with what."""


def ask_servers(servers: Sequence[Server], model: str, *, use_proxy: bool = False) -> list[ServerReport]:
    """Return what each server says of a model, all asked at the same time, each once.

    A server's own name for the model goes before `model`. Raises: UserError: no client is installed.
    """

    async def ask_all() -> list[ServerReport]:
        return await asyncio.gather(*(_ask(s, s.model or model, use_proxy=use_proxy) for s in servers))

    return asyncio.run(ask_all())


async def _ask(server: Server, model: str, *, use_proxy: bool) -> ServerReport:
    """Return what a server says of a model."""
    host = server.host
    try:
        names = await _read_names(server, use_proxy=use_proxy)
    except Unresolved as error:
        return _faulty("base_url", UserError(error.message, hint=error.hint))
    except Unreachable as error:
        hint = "start it, or fix base_url"
        return _faulty("base_url", TryAgainLater(f"no server answers at {host}: {error.reason}", hint=hint))
    except Forbidden as error:
        return ServerReport(f"{host} does not show its models with this key: {error.message}")
    except AccessRefused as error:
        hint = "" if server.api_key else "name the variable that holds a key in `api_key_env`"
        return _faulty("api_key_env", AccessRefused(f"{host}: {error.message}", hint=hint))
    except _Silent:
        said = f"{host} gives no answer to GET /models within {PATIENCE_S:g} s: whether it has `{model}` is not known"
        return ServerReport(said, is_silent=True)
    except (Transient, NoAnswer, _NoList) as error:
        return await _without_list(server, error, use_proxy=use_proxy)
    except UserError as error:
        return _faulty("base_url", UserError(error.message, hint=error.hint))
    return _judge(model, names, host)


def _judge(model: str, names: Sequence[str], host: str) -> ServerReport:
    """Return whether a model is among those of a server."""
    said = f"{host} has {len(names)} model{'' if len(names) == 1 else 's'}"
    if model in names:
        return ServerReport(f"{said}, `{model}` among them")
    if any(mark in model and model.partition(mark)[0] in names for mark in WITHOUT_ALL_NAMES):
        return ServerReport(f"{said}, `{model}` is a variant of one")
    if not names:
        return ServerReport(f"{host} lists no models")
    hint = nearest(model, names) or f"it has {', '.join(names[:5])}, …"
    return _faulty("model", UserError(f"{host} has no model `{model}`", hint=hint))


async def _without_list(server: Server, error: Exception, *, use_proxy: bool) -> ServerReport:
    """Return what is known of a server that shows no models: its list may be at `/v1`, which was left out."""
    said = error.failure.reason if isinstance(error, NoAnswer) else str(error)
    base = server.base_url.rstrip("/")
    if not base.endswith(VERSION):
        try:
            await _read_names(replace(server, base_url=base + VERSION), use_proxy=use_proxy)
        except AccessRefused:
            pass  # it is there, and wants another key
        except (UserError, Transient, NoAnswer, _NoList, _Silent):
            return _not_known(server.host, said)
        text = f"{base} is no OpenAI-compatible address: {said}"
        return _faulty("base_url", UserError(text, hint=f"write {base}{VERSION}"))
    return _not_known(server.host, said)


def _not_known(host: str, said: str) -> ServerReport:
    return ServerReport(f"{host} shows no list of models ({said}): whether it has this one is not known")


def _faulty(option: Literal["base_url", "model", "api_key_env"], fault: UserError) -> ServerReport:
    return ServerReport(fault.message, ServerFault(option, fault))


async def _read_names(server: Server, *, use_proxy: bool) -> tuple[str, ...]:
    """Return the names of a server's models.

    Raises: _NoList, _Silent, Transient, NoAnswer, AccessRefused, UserError.
    """
    connection = Connection(
        server, connect_timeout_s=CONNECT_S, timeouts=Timeouts(), is_streamed=False, use_proxy=use_proxy
    )
    await connection.open()
    try:
        async with asyncio.timeout(PATIENCE_S):
            # Its own clock never strikes: it would not tell silence from other faults.
            body = await connection.get("/models", patience_s=2 * PATIENCE_S)
    except TimeoutError:
        raise _Silent from None
    finally:
        await connection.close()
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        kind = "an HTML page" if body.lstrip().startswith(b"<") else "no JSON"
        raise _NoList(f"it answers with {kind}") from None
    # A bare list is what some proxies make of it.
    rows = value.get("data") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise _NoList("it answers with no list of models")
    return tuple(sorted({str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row}))
