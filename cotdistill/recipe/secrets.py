"""A recipe names the environment variable that holds a key; one that holds the key itself is refused."""

import re

from cotdistill.errors import UserError, raise_all
from cotdistill.yamlfile import Source

SECRET_NAME = re.compile(r"(?:^|_)(?:api_?key|secret|password|access_?token|auth_?token|bearer)$", re.IGNORECASE)
SECRET_VALUE = re.compile(r"(?:^|[^A-Za-z0-9])(?:sk-|hf_|ghp_|Bearer\s+)[A-Za-z0-9_\-.]{16,}")
"""Anywhere in a text: a header in `extra_body` is as good as a key."""


def refuse_secrets(source: Source) -> None:
    """Raise UserError for every value that looks like a key; the value itself is not shown."""
    found = []
    for loc in source.places:
        value = source.get(loc)
        name = str(loc[-1]) if loc else ""
        if isinstance(value, str) and (SECRET_VALUE.search(value) or SECRET_NAME.search(name)):
            found.append(
                UserError(
                    "looks like a secret, and a recipe is no place for one",
                    source.where(loc),
                    "put it into an environment variable and name that: `api_key_env: MY_KEY`",
                )
            )
    raise_all(found)
