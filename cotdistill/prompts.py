"""Templates of prompts: `{name}` is replaced for declared names only; every other brace stays as it is.

{question}

Give the final answer as \\boxed{}.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from cotdistill.errors import UserError, no_such_file
from cotdistill.records import Message


def render(template: str, **values: str) -> str:
    """Return the template with every `{name}` of `values` replaced; what is put in is not looked at again."""
    if not values:
        return template
    names = "|".join(sorted(map(re.escape, values), key=len, reverse=True))
    return re.sub(r"\{(" + names + r")\}", lambda match: values[match[1]], template)


def load(path: Path, *, required: Sequence[str] = ("question",)) -> str:
    """Return the template in a file, every character of it, the last line end included.

    A byte order mark is no part of it, and every line end is read as a newline character, wherever it was written.
    Raises: UserError: no such file, not UTF-8, a required name is missing.
    """
    try:
        template = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise no_such_file(path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be read: {error}", str(path)) from None
    for name in required:
        if f"{{{name}}}" not in template:
            raise UserError(f"{{{name}}} is missing", str(path), f"write {{{name}}} where the {name} belongs")
    return template


def as_text(messages: Sequence[Message]) -> str:
    """Return a prompt as a model without a chat reads it: the turns' texts, a blank line between."""
    return "\n\n".join(message.content for message in messages)
