import pytest

from cotdistill.filters.repetition import closing_loop, reason_against_repetition, repeated_share
from cotdistill.filters.shingles import words
from tests.support.traces import trace

FRESH = " ".join(f"word{i}" for i in range(200))
BLOCK = "now let me check this once more with the same numbers as I did before because I doubt it "


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (FRESH, 0),
        ("", 0),
        (BLOCK * 2 + FRESH, 0),
        (f"{BLOCK}a {FRESH} {BLOCK}b {BLOCK}c", 54 / 257),
        (BLOCK * 10, 1),
        ("让我再检查一遍这个计算是否正确。" * 6, 1),
    ],
)
def test_the_share_is_that_of_blocks_that_come_three_times(text, share):
    assert repeated_share(words(text)) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(
    ("text", "loop"),
    [
        (FRESH, (0, 0)),
        (FRESH + " ha" * 30, (1, 30)),
        (FRESH + " so it is" * 10, (3, 30)),
        (FRESH + " so it is" * 10 + " so it", (3, 32)),
        (FRESH + " so it is" * 3, (0, 0)),
        (FRESH + " so it is" * 10 + " done", (0, 0)),
    ],
)
def test_a_loop_counts_where_the_text_ends_in_it(text, loop):
    assert closing_loop(words(text)) == loop


def test_the_reason_says_where_and_how_much():
    assert reason_against_repetition(trace(reasoning=FRESH), 0.2) is None
    assert reason_against_repetition(trace(reasoning=BLOCK * 10), 0.2) == (
        "repetition",
        "100.0% of the reasoning stands in blocks that come 3 times (limit 20.0%)",
    )
    looping = trace(text=FRESH + " so it is" * 10)
    assert reason_against_repetition(looping, 0.99) == ("repetition", "the answer ends in 3 words, 10 times (limit 3)")


def test_a_long_loop_takes_no_quadratic_time():
    assert closing_loop(tuple("ab" * 100_000)) == (2, 200_000)
