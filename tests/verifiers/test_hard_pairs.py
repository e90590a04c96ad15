"""Every pair of the hard list, for each verifier that compares numbers."""

import pytest

from cotdistill.registry import make
from tests.support.hard_pairs import NUMBERS_NOT_SAID, NUMBERS_SAID

KINDS = ("numeric", "math", "auto")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("subject", NUMBERS_SAID)
def test_what_an_answer_says_is_read(kind, subject):
    verify = make("verifiers", kind)
    missed = [pair for pair in NUMBERS_SAID[subject] if verify(*pair).outcome != "correct"]
    assert missed == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("subject", NUMBERS_NOT_SAID)
def test_what_an_answer_only_mentions_is_not_taken(kind, subject):
    verify = make("verifiers", kind)
    taken = [pair for pair in NUMBERS_NOT_SAID[subject] if verify(*pair).outcome == "correct"]
    assert taken == []
