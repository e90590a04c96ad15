"""Token rows of a prompt and an answer."""

from cotdistill.training.prepare.token_row import ANSWER, GIVEN, TokenRow


def answer_row(ids, prompt_length, name):
    """Return a row whose first tokens are given and whose others are an answer."""
    return TokenRow(ids, bytes([GIVEN] * prompt_length + [ANSWER] * (len(ids) - prompt_length)), name)


def prompt_of(row):
    """Return what stands before the last learned stretch of a row."""
    return row.input_ids[: row.parts.rindex(GIVEN) + 1]


def answer_of(row):
    """Return the last learned stretch of a row, its end token included."""
    return row.input_ids[row.parts.rindex(GIVEN) + 1 :]
