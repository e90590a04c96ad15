import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdistill.records import Equations
from cotdistill.scoring.equations import MOST_EQUATIONS, count_equations

HELD = [
    "48 / 2 = 24",
    "3 × 4 = 12",
    "48/2=<<48/2=24>>24",
    "$5 + $10 = $15",
    "In May she sold 48/2 = 24 clips, a half.",
    "10/3 ≈ 3.33",
    "10/3 = 3.33",
    "2/3 = 0.66",
    "4827 × 1 ≈ 4,800",
    "20% of 50 = 10",
    "2/5 of 35 = 14",
    "50% * 50% = 25%",
    "5/20 * 100 = 25%",
    "100% - 20% = 80%",
    "1,200 + 300 = 1,500",
    "1.000 + 500 = 1.500",
    "3,5 + 1,5 = 5",
    "8 slices – 3 slices = 5 slices",
    "300 calories/squirrel * 6 squirrels = 1800 calories",
    "8 hours a day × 5 = 40",
    r"So \(2 \times \$600 = \$1,\!200\).",
    r"$$\frac{48}{2} = \boxed{24}$$",
    r"12 \text{ apples} + 3 \text{ apples} = 15 \text{ apples}",
    "**25 × 3** = **75**",
    "*25 minutes - 4 minutes = **21 minutes***",
    "- 5 + 3 = 8",
    "1. 5 + 3 = 8",
    "a total of 5 + 3 = 8",
    "35(2/5)=14",
    "(2+2)x3=12",
    "2 1/2 + 1/2 = 3",
    "5² = 25",
    "2 + 3^2 = 11",
    "5 - 8 = -3",
    "-3 + 5 = 2",
    "100 - 30 - 20 = 50",
    "48 divided by 2 = 24",
    "(so 5 + 3 = 8)",
    "5个 + 3个 = 8个",
    "３ ＋ ４ ＝ ７",
    "12 + 12 = 2 × 12",
]
FALSE = [
    "48 / 2 = 25",
    "5 + 10 = 16 apples",
    "7 / 2 = 3",
    "10/3 = 3.35",
    "1.7 + 1.6 = 3.4",
    "20% of 50 = 20",
    "1,200 + 300 = 1,600",
    "5 - 8 = 3",
    "2 + 3 * 4 = 20",
    "10/3 ≈ 3.4",
    "3 × 4 = 12.5",
]
LEFT_ALONE = [
    "",
    "no numbers = no equation",
    "x + 2 = 5",
    "2x = 4",
    "5 + 3 = y",
    "5 + 3 = 2y",
    "age - 5 + 3 = 8",
    "f(2) + 3 = 7",
    "Total = 40",
    "1 hour = 60 minutes",
    "1 hour - 20 minutes = 40 minutes",
    "2 dollars - 50 cents = 150 cents",
    "30 minutes × 4 = 2 hours",
    "$50 - 20% = $40",
    "1/4 = 5 apples",
    "28 / 1/5 = 140",
    "half of 16 + 2 = 10",
    "three 5 + 2 = 17",
    "2 million + 3 = 5",
    "17/5 = 3 remainder 2",
    "50 / 3 = 16 stickers each, with 2 left",
    "4 / 3 = 1 and 1/3",
    "525 / 60 = 8 hours 45 minutes",
    "6:00 + 18 = 00:00",
    "0900-0130 = 0770",
    "5 + 3 = ?",
    "5 + 3 == 8",
    "5 + 3 >= 8",
    "5 + 3 ≠ 9",
    "5 + = 8",
    "5 3 + 2 = 7",
    "1,2,3 + 4 = 8",
    "8 / 0 = 3",
    "100 + (50 + 10 = 60",
    "2^999 + 1 = 4",
    "20% = 10% + 10% = $200",
]


@pytest.mark.parametrize("text", HELD)
def test_true_equations_hold(text):
    assert count_equations(text) == Equations(stated=1, held=1)


@pytest.mark.parametrize("text", FALSE)
def test_false_equations_are_stated_and_do_not_hold(text):
    assert count_equations(text) == Equations(stated=1, held=0)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_cannot_be_read_for_sure_is_not_counted(text):
    assert count_equations(text) is None


def test_chains_are_judged_pair_by_pair():
    assert count_equations("2+3=5*2=10") == Equations(stated=2, held=1)
    assert count_equations("2 × 3 = 6 = 6") == Equations(stated=1, held=1)


def test_equations_of_a_text_are_added_up():
    text = "First 48 / 2 = 24. Then 48 + 24 = 71,\nand x = 3. So 3 × $2.50 = $7.50 <<3*2.50=7.50>>"
    assert count_equations(text) == Equations(stated=3, held=2)


def test_a_calculators_note_that_says_otherwise_counts():
    assert count_equations("48/2 = <<48/2=25>>24") == Equations(stated=2, held=1)


numbers = st.integers(0, 99_999)
terms = st.lists(st.tuples(st.sampled_from("+-*"), numbers), min_size=1, max_size=5)


@given(numbers, terms, st.integers(-3, 3), st.sampled_from(["", " "]), st.sampled_from(["", "$"]), st.booleans())
def test_sums_hold_exactly_where_python_says_so(first, more, off, space, currency, grouped):
    form = "{:,}" if grouped else "{}"
    written = currency + form.format(first)
    for operator, number in more:
        written += f"{space}{operator}{space}{currency}{form.format(number)}"
    value = eval(written.replace("$", "").replace(",", "")) + off
    shown = ("-" if value < 0 else "") + currency + form.format(abs(value))
    expected = Equations(stated=1, held=int(off == 0))
    found = count_equations(f"So {written}{space}={space}{shown} apples.")
    # A difference by a factor that units are converted by is left alone beside a currency.
    assert found == expected or (currency and off and found is None)


@given(st.text(st.sampled_from("0123456789+-*/^=.,()[]<>$%≈ xaof\n\\{}²:'"), max_size=300) | st.text(max_size=300))
@settings(max_examples=200)
def test_any_text_is_read_without_a_fault(text):
    found = count_equations(text)
    assert found is None or 0 <= found.held <= found.stated


@pytest.mark.parametrize(
    "unit",
    [
        "=",
        "1=",
        "1+",
        "(",
        "1+1=2 ",
        "<<1=1",
        "\\frac{1}{",
        "*",
        "9^9^9=",
        "1 apple and ",
        "((1)",
        "٣+",
        "1,2.3",
        "- 1 = ",
    ],
)
def test_a_hundred_kilobytes_of_anything_are_read(unit):
    text = unit * (100_000 // len(unit))
    found = count_equations(text)
    assert found is None or found.stated <= MOST_EQUATIONS
    noise = random.Random(1)
    assert count_equations("".join(noise.choice(string.printable) + unit for _ in range(5_000))) is not False


def test_time_grows_with_the_text_and_not_faster(monkeypatch):
    """Count the characters that are looked at closely instead of seconds."""
    from cotdistill.scoring import equations

    looked = []
    monkeypatch.setattr(equations, "tokens", lambda text: looked.append(len(text)) or iter(()))
    line = "so " + "many words and 5 numbers " * 200 + "48 / 2 = 24"
    for times in (1, 10):
        looked.clear()
        list(equations.read_equations(line * times))
        assert sum(looked) <= 2 * (equations.SIDE_CHARS + 2) * times * (line.count("=") + 1)
