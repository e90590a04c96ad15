"""What no verifier of numbers may get wrong, on texts that no rule was written for."""

import re
import string
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotdistill.registry import make
from cotdistill.verifiers._languages import LANGUAGES, Language
from tests.support.answer_forms import ALONE, LABELS, MARKS, MATH_ANSWERS, MATH_TEXTS, NO_NUMBERS, POSITIONS
from tests.support.shared_data import json_rows

KINDS = ("numeric", "math", "auto")
MGSM = tuple(LABELS)
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


def numbers(text: str) -> set[Fraction]:
    return {Fraction(number.replace(",", "")) for number in _NUMBER.findall(text)}


def accepted(kind: str, rows: Iterable[tuple[str, str]]) -> tuple[int, list[tuple[str, str]]]:
    """Return how many (poisoned gold, text) were asked, and those that were found correct.

    Poisoned is every number of a text but its answer, which may be a percentage or its hundredth.
    """
    verify, asked, found = make("verifiers", kind), 0, []
    for gold, text in rows:
        right = {Fraction(gold) * factor for factor in (1, 100, Fraction(1, 100))} if gold else set()
        for number in numbers(text) - right:
            asked += 1
            if verify(str(number), text).outcome == "correct":
                found.append((str(number), text))
    return asked, found


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_is_taken_out_of_the_working_or_out_of_an_expression(kind):
    _, found = accepted(kind, (("", text.format(answer)) for text in MATH_TEXTS for answer in NO_NUMBERS))
    assert found == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_number_but_the_declared_one_is_taken(kind):
    texts = [label for labels in LABELS.values() for label in labels] + ALONE
    _, found = accepted(kind, (("18", text.format(label.format("18"))) for text in POSITIONS for label in texts))
    assert found == []


@pytest.mark.parametrize("kind", ["math", "auto"])
@pytest.mark.parametrize("text", MATH_TEXTS[:3])
def test_a_boxed_answer_is_found(kind, text):
    verify = make("verifiers", kind)
    assert [answer for answer in MATH_ANSWERS if verify(answer, text.format(answer)).outcome != "correct"] == []


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "step"), [("numeric", 1), ("math", 4), ("auto", 4)])
def test_real_answers_give_no_other_number(kind, step):
    rows = [(row["gold"].replace(",", ""), row["answer"]) for row in json_rows("r1_gsm8k/traces.jsonl") if row["equal"]]
    asked, found = accepted(kind, rows[::step])
    assert len(found) <= max(1, asked * 0.0005)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["{}\n#### {}", "{}\nThe answer is {}.", "{} #### {}", "{}\nA: {}"])
def test_worked_solutions_give_no_other_number_and_their_own(form):
    pairs = [row["answer"].split("\n#### ") for row in json_rows("gsm8k/test.jsonl")]
    rows = [(gold.replace(",", ""), form.format(text, gold)) for text, gold in pairs]
    numeric = make("verifiers", "numeric")
    assert [text for gold, text in rows if numeric(gold, text).outcome != "correct"] == []
    asked, found = accepted("numeric", rows)
    assert len(found) <= asked * 0.0005


@settings(max_examples=400)
@given(
    st.integers(20, 10**6),
    st.sampled_from([*((language, label) for language in LABELS for label in LABELS[language]), *(("", a) for a in ALONE)]),
    st.sampled_from(MARKS),
    st.sampled_from(POSITIONS),
    st.sampled_from(KINDS),
)  # fmt: skip
def test_a_declared_answer_is_read_in_every_form_language_and_position(number, label, mark, position, kind):
    language, form = label
    answer = position.format(form.format(mark.format(number) if language else number))
    verify = make("verifiers", kind)
    assert verify(str(number), answer).outcome == "correct"
    assert verify(str(number + 1), answer).outcome == "wrong"


@pytest.mark.parametrize("language", MGSM)
@pytest.mark.parametrize("field", [field for field in Language._fields if field != "has_decimal_comma"])
def test_no_language_has_a_hole(language, field):
    words = getattr(LANGUAGES[language], field)
    assert words
    pattern = re.compile(words)
    assert pattern.groups == 0
    assert words == words.lower() or set(words) & set(string.ascii_uppercase) <= {"W", "D", "Z"}
    assert not pattern.fullmatch("")


def test_each_language_has_its_own_words():
    for field in ("answer", "denies", "correction"):
        rows = [getattr(LANGUAGES[language], field) for language in MGSM]
        assert len({row for row in rows if row != "(?!)"}) == len([row for row in rows if row != "(?!)"])
