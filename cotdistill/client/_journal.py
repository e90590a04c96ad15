"""What a client says of its requests: failures now and then, models that were not asked once each."""

import asyncio
import logging
from collections import Counter

from cotdistill.client.retries import shortened

log = logging.getLogger(__name__)

QUIET_S = 5.0
"""Between two lines about failed attempts; the reasons of all of them are in the answers."""


class Journal:
    """Lines about the requests of one client."""

    def __init__(self) -> None:
        self._unlogged = 0
        self._quiet_until_s = 0.0
        self._other_models: Counter[tuple[str, str]] = Counter()
        """Asked and answering model, where they are not the same."""

    def log_failure(self, failure: str) -> None:
        """Log a failed attempt; of a burst, which can be hundreds a second, one now and then, with the number."""
        now_s = asyncio.get_running_loop().time()
        if now_s < self._quiet_until_s:
            self._unlogged += 1
            return
        more = f" (and {self._unlogged:,} more since the last such line)" if self._unlogged else ""
        log.info("%s%s", failure, more)
        self._unlogged, self._quiet_until_s = 0, now_s + QUIET_S

    def note_model(self, asked: str, answered: object) -> None:
        """Count an answer of another model than was asked; the first of each is logged at once."""
        if not isinstance(answered, str) or is_same_model(asked, answered):
            return
        pair = asked, shortened(answered)
        self._other_models[pair] += 1
        if self._other_models[pair] == 1:
            log.warning("the model %s answers where %s was asked", pair[1], asked)

    def close(self) -> None:
        """Log how many answers came from each model that was not asked."""
        for (asked, model), count in self._other_models.items():
            log.warning("%d answers are by the model %s where %s was asked", count, model, asked)


def is_same_model(asked: str, answered: str) -> bool:
    """Return whether a server may call a model so: with a path before its name, a date or a version after it."""
    first, second = (name.strip().rstrip("/").rpartition("/")[2].casefold() for name in (asked, answered))
    return first in second or second in first
