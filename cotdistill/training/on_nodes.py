"""One training on several machines: what all must agree in before a model is loaded, and who starts what."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cotdistill.errors import UserError
from cotdistill.nodes.meeting import Meeting
from cotdistill.storage.keys import differences, shown
from cotdistill.training.launch.launch import World, free_port

Json = Any  # Any: a JSON value


def agree(meeting: Meeting, what: str, mine: dict[str, Json]) -> None:
    """Compare what the weights depend on with the other nodes. Raises: UserError that names the first difference."""
    first, *others = meeting.gather(what, mine)
    for rank, other in enumerate(others, start=1):
        for path, on_first, on_other in differences(first, other):
            raise UserError(
                f"{'.'.join(path)} differs: {_short(on_first)} on node 0, {_short(on_other)} on node {rank}",
                hint="every node needs the same recipe, options, rows and base model",
            )


def agree_on_start(meeting: Meeting, job: Path | None, place: World) -> tuple[Path | None, World]:
    """Return what node 0 says to train, None where it is trained already, and where, with the port to meet at."""
    mine = [str(job) if job else None, free_port(place.port + 1)] if meeting.rank == 0 else None
    told, port = meeting.gather("start", mine)[0]
    return Path(told) if told else None, replace(place, port=port)


def _short(value: Json) -> str:
    """Return a value as a line shows it; of a hash the beginning is enough."""
    text = shown(value)
    return text if len(text) <= 60 else f"{text[:12]}…"
