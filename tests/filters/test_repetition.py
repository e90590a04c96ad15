import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdistill.filters.repetition import closing_loop, reason_against_repetition, repeated_share
from cotdistill.filters.shingles import words
from tests.support.shared_data import json_rows
from tests.support.traces import trace

FRESH = " ".join(
    random.Random(1).sample([a + b + c + d for a in "bdgkmt" for b in "aeiou" for c in "lnrs" for d in "aeiou"], 200)
)
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
        "100.0% of the reasoning stands in blocks that come 3 times, or twice from 40 words on (limit 20.0%)",
    )
    looping = trace(text=FRESH + " so it is" * 10)
    assert reason_against_repetition(looping, 0.99) == ("repetition", "the answer ends in 3 words, 10 times (limit 3)")


def test_a_long_loop_takes_no_quadratic_time():
    assert closing_loop(tuple("ab" * 100_000)) == (2, 200_000)


def reworded(rng, count):
    parts = (
        ("Wait, ", "Hmm, ", "But wait, "),
        ("let me", "I should", "I need to"),
        (" check", " verify"),
        (" it.", " that."),
    )
    return " ".join("".join(rng.choice(part) for part in parts) for _ in range(count))


def reworded_in_thai(rng, count):
    parts = ("เดี๋ยวก่อน", "ลองคิดดู", "แต่เดี๋ยว"), ("ขอตรวจสอบ", "ขอคำนวณ"), ("อีกครั้ง", "ใหม่อีกที"), (" ", "นะ ")
    return "".join("".join(rng.choice(part) for part in parts) for _ in range(count))


LOOPS = {
    "counter": lambda rng, n: " ".join(f"Step {i}: now we have {i} apples." for i in range(1, n)),
    "count": lambda rng, n: ", ".join(str(i) for i in range(1, 4 * n)),
    "count by sevens": lambda rng, n: " ".join(str(i) for i in range(14, 28 * n, 7)),
    "one digit": lambda rng, n: "3" * (20 * n),
    "digits": lambda rng, n: "0." + "142857" * (4 * n),
    "reworded": reworded,
    "reworded in Thai": reworded_in_thai,
    "numbered": lambda rng, n: "\n".join(f"{i}. The answer is {i}, wait, no." for i in range(n)),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_without_a_repeated_block_is_found_alone_and_in_half_a_text(name):
    for seed in range(5):
        loop = LOOPS[name](random.Random(seed), 60)
        for text in (loop, f"{FRESH}\n{loop}", f"{FRESH}\n{loop}\nThe answer is 7."):
            assert reason_against_repetition(trace(reasoning=text), 0.2).kind == "repetition"


def test_a_rationale_written_twice_is_found_and_a_sentence_twice_is_not():
    assert reason_against_repetition(trace(reasoning=f"{FRESH}\n\n{FRESH}"), 0.2).kind == "repetition"
    assert repeated_share(words(f"{FRESH} {FRESH}")) == 1
    sentence, rest = " ".join(FRESH.split()[:39]), " ".join(FRESH.split()[39:])
    assert repeated_share(words(f"{sentence} {rest} {sentence}")) == 0


def table(rng, columns=8, rows=60):
    return [[str(rng.randint(-99, 99)) for _ in range(columns)] for _ in range(rows)]


TABLES = {
    "plain": lambda rng: "\n".join(" ".join(row) for row in table(rng)),
    "commas": lambda rng: "\n".join(", ".join(row) for row in table(rng)),
    "Markdown": lambda rng: "|---|---|\n" + "\n".join(f"| {' | '.join(row)} |" for row in table(rng)),
    "LaTeX": lambda rng: "\\begin{array}{cc} " + " \\\\ ".join(" & ".join(row) for row in table(rng)) + " \\end{array}",
    "points": lambda rng: "; ".join(f"({x}, {y})" for x, y in table(rng, 2, 150)),
    "binary": lambda rng: " ".join(format(rng.randrange(256), "08b") for _ in range(100)),
    "truth": lambda rng: "\n".join(" | ".join(row) for row in itertools.product("TF", repeat=6)),
    "primes": lambda rng: ", ".join(str(n) for n in range(2, 2000) if all(n % d for d in range(2, int(n**0.5) + 1))),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_no_loop(name):
    for seed in range(5):
        for text in (TABLES[name](random.Random(seed)), f"{FRESH}\n{TABLES[name](random.Random(seed))}"):
            assert reason_against_repetition(trace(reasoning=text), 0.2) is None


@settings(max_examples=30)
@given(st.text(max_size=1000), st.text(min_size=1, max_size=9))
def test_any_text_can_be_asked(text, piece):
    for reasoning in (text, piece * 200 + text):
        reason = reason_against_repetition(trace(reasoning=reasoning), 0.2)
        assert reason is None or reason.kind == "repetition"


def test_real_rationales_are_no_loops():
    rows = json_rows("r1_gsm8k/traces.jsonl")
    assert not [r["id"] for r in rows if reason_against_repetition(trace(r["answer"], r["reasoning"]), 0.2)]
