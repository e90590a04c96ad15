"""How long the answers of a set are."""

import pytest

from cotdistill.publishing.length_table import TOKENISED, length_table
from cotdistill.records import Conversation, Message


def rows(*lengths):
    return [
        Conversation(id="p", messages=(Message(role="user", content="q"), Message(role="assistant", content="a " * n)))
        for n in lengths
    ]


def test_every_row_is_in_one_bin_and_the_bars_are_in_proportion():
    lines = length_table(rows(*[1] * 30, *[5] * 15, 40), None).splitlines()
    assert lines[2:] == [
        f"| 2 to 3 | 30 | {'█' * 30} |",
        "| 4 to 7 | 0 |  |",
        f"| 8 to 15 | 15 | {'█' * 15} |",
        "| 16 to 31 | 0 |  |",
        "| 32 to 63 | 0 |  |",
        "| 64 to 127 | 1 | █ |",
        "",
        "Characters: 50 % at most 2, 90 % at most 10, 99 % at most 80, longest 80.",
    ]


@pytest.mark.parametrize("count", [3, TOKENISED + 1, 5 * TOKENISED])
def test_tokens_are_counted_where_a_tokenizer_is_at_hand(tokenizer_folder, count):
    *_, last = length_table(
        rows(*range(1, count + 1)) if count < 9 else rows(7) * count, tokenizer_folder / "tokenizer.json"
    ).splitlines()
    assert last.startswith("Tokens of the student's tokenizer: 50 % at most")
    assert ("of the rows" in last) == (count > TOKENISED)


def test_no_rows_have_no_lengths():
    assert "Characters: no rows." in length_table([], None)
