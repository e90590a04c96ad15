from fractions import Fraction

import pytest

from cotdistill.numbers.notation import plain
from cotdistill.numbers.reading import number_spots, read_number
from cotdistill.numbers.words import WORD_NUMBER, word_value
from cotdistill.verifiers._languages import decimal_mark


def read(text: str, locale: str | None = None) -> list[Fraction | int | None]:
    text = plain(text)
    mark = decimal_mark(text, text, locale)
    return [read_number(spot, mark).value for spot in number_spots(text, mark)]


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("1,234.5", "en", "1234.5"),
        ("1.234,5", "de", "1234.5"),
        ("70.000", "de", 70000),
        ("2.125", "es", 2125),
        ("1,5", "de", "1.5"),
        ("1\u202f234,5", "fr", "1234.5"),
        ("1\u00a0234 €", "fr", 1234),
        ("1 234 567", "ru", 1234567),
        ("1'234.50", "de", "1234.5"),
        ("12,34,567.8", "hi", "1234567.8"),
        ("৭০,০০,০০০", "bn", 7000000),
        ("1,080", "th", 1080),
        ("1.5", "de", "1.5"),
        ("0,500", "en", "0.5"),
        ("1.234,56 and more", None, "1234.56"),
        ("1,234.56", None, "1234.56"),
        ("1.234.567", None, 1234567),
        ("die Antwort ist 1.234", None, 1234),
        ("la réponse est 1 234", None, 1234),
        ("the answer is 1.234", None, "1.234"),
    ],
)
def test_separators_are_read_by_language(text, locale, value):
    assert read(text, locale) == [Fraction(value)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\\$21{,}600", 21600), ("333,\\!200", 333200), ("12\\,000", 12000), ("\\frac{1}{2}", "1/2"), ("\\frac12", "1/2"),
        ("-\\dfrac{3}{4}", "-3/4"), ("3\\frac{1}{2}", "7/2"), ("80\\%", 80), ("\\text{13}", 13), ("90^\\circ", 90),
        ("3/4", "3/4"), ("3 1/2", "7/2"), ("3 and 1/2", "7/2"), ("2½", "5/2"), ("½", "1/2"), (".5", "1/2"), ("300...", 300),
        ("1.5 × 10^3", 1500), ("3.0 \\times 10^{8}", 3 * 10**8), ("2e-3", "1/500"),
        ("$70k", 70000), ("192 million", 192 * 10**6), ("2 crore", 2 * 10**7), ("70 लाख", 7 * 10**6), ("3 billion", 3 * 10**9),
        ("7万", 70000), ("7万5千", 75000), ("3億5000万円", 350000000),
        ("−5", -5), ("-$5", -5), ("is –5", -5), ("minus 5", -5), ("= -5", -5),
        ("１８", 18), ("१८", 18), ("౧౮", 18), ("๑๘", 18), ("১৮", 18), ("₹1,200", 1200), ("rs1,200", 1200), ("25ml", 25),
    ],
)  # fmt: skip
def test_notations_are_read(text, value):
    assert read(text) == [Fraction(value)]


@pytest.mark.parametrize("text", ["x2", "cm^2", "13th", "1st", "7x", "step 3", "covid-19", "a_1", "\\sqrt{12}"])
def test_digits_of_names_are_no_numbers(text):
    assert read(text) == []


@pytest.mark.parametrize("text", ["7:30", "2:3:5", "5-10", "1,2,3", "3/0", "2^10", "2²", "[2,5]", "7" * 61, "1/2/2020"])
def test_digits_that_state_no_value_have_none(text):
    assert read(text)[0] is None


@pytest.mark.parametrize("text", ["10 - 5", "100 – $95", "3 × 4"])
def test_terms_of_a_sum_are_no_values(text):
    assert read(text)[0] is None


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("zero", 0), ("twelve", 12), ("twenty-five", 25), ("one hundred and five", 105), ("a hundred", 100),
        ("nine hundred ninety-nine", 999), ("one thousand", 1000), ("two thousand three hundred", 2300),
        ("twelve thousand and one", 12001), ("a dozen", 12), ("two and a half", "5/2"), ("half", "1/2"), ("three quarters", "3/4"),
    ],
)  # fmt: skip
def test_words_are_read(words, value):
    match = WORD_NUMBER.fullmatch(words)
    assert match is not None
    assert word_value(words) == Fraction(value)


@pytest.mark.parametrize("words", ["two five", "twenty eleven", "half two"])
def test_words_that_make_no_number_have_no_value(words):
    assert word_value(words) is None
