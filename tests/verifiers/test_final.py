from fractions import Fraction

import pytest

from cotdistill.verifiers._final import final_of


def values(text: str) -> list[Fraction | int | None]:
    final = final_of(text, ".")
    assert final is not None
    return [number.value for number in final.values]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("parentheses restate", "60 apples (1 for each of 60 friends, 5 red)"),
        ("last equals sign", "12 x 5 = 60 apples"),
        ("last equals sign", "x + 4 = 64, so x = 60"),
        ("total", "20 + 40, totaling 60 apples"),
        ("bold before plain", "in 5 days he earns **$60** from 3 jobs"),
        ("circumstances", "in 5 days he earns $60"),
        ("circumstances", "each of the 4 friends gets 60"),
        ("circumstances", "on the 13th day he rides 60 miles"),
        ("circumstances", "by day 3 he has a total of 60"),
        ("later clause", "she needs 60 days to read 5 books"),
        ("later clause", "he pays 60, which is 5 more than 55"),
        ("label", "step 3: 60"),
        ("not", "not 50 but 60"),
        ("last", "the 5 boxes last 60 nights"),
    ],
)
def test_each_rule_finds_the_result(rule, text):
    assert values(text) == [60]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("240 minutes (4 hours)", [240, 4]),
        ("240 minutes, or 4 hours", [4, 240]),
        ("$3.50 (350 cents)", [Fraction("3.5"), 350]),
        ("3 dozen (36 eggs)", [3, 36]),
        ("2 kg (2000 g)", [2, 2000]),
        ("60 minutes (4 hours)", [60]),
        ("23 cars in 23 days (1 car per day)", [23]),
        ("10 (pages 1-10)", [10]),
    ],
)
def test_a_true_conversion_beside_the_value_is_the_same_result(text, same):
    assert values(text) == same


@pytest.mark.parametrize(
    ("text", "both"),
    [
        ("2 hours and 30 minutes", [Fraction("2.5"), 150]),
        ("5 feet 6 inches", [Fraction("5.5"), 66]),
        ("**1 hour** and **15 minutes**", [Fraction("1.25"), 75]),
    ],
)
def test_two_units_of_one_dimension_are_one_quantity(text, both):
    assert values(text) == both


@pytest.mark.parametrize("text", ["4 or 5", "4 pens and 18 pencils", "x = 4 or x = 5", "4, 5", "**4** and **5**"])
def test_a_list_is_no_single_result(text):
    final = final_of(text, ".")
    assert final is not None
    assert final.rivals


def test_a_list_of_one_value_is_that_value():
    assert values("4 apples and 4 pears") == [4]


def test_text_without_numbers_has_no_result():
    assert final_of("no idea", ".") is None
