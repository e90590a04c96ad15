"""Most answers to a problem decide where no gold answer does."""

import pytest

from cotdistill.filters.majority import final_answer, reasons_against_minority
from cotdistill.records import Verdict
from tests.support.traces import trace


def said(*texts, gold=None):
    made = (trace(text) for text in texts)
    return [one.model_copy(update={"problem": one.problem.model_copy(update={"gold": gold})}) for one in made]


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["It is 7.", "So 8.", "7"], [0, 2]),
        (["It is 1,000.", "So 1000.", "999", "998"], [0, 1]),
        (["Paris", "paris", "Rome"], [0, 1]),
        (["10-3 = 7", "It is 7.", "-3"], [0, 1]),
        (["It is 7."], []),
        (["7", "8"], []),
        (["7", "7", "8", "8"], []),
        ([], []),
    ],
)
def test_what_most_say_is_kept_and_nothing_where_none_leads(texts, kept):
    reasons = reasons_against_minority(said(*texts), trusts_gold=False)
    assert [place for place, reason in enumerate(reasons) if reason is None] == kept
    assert all(reason is None or reason.kind == "minority" for reason in reasons)


def test_the_reason_counts_the_votes():
    (*_, reason) = reasons_against_minority(said("7", "7", "So 8."), trusts_gold=False)
    assert reason == ("minority", "1 of 3 attempts say 8, most say 7")
    (reason, _) = reasons_against_minority(said("7", "8"), trusts_gold=False)
    assert reason.text == "1 of 2 attempts say 7, no answer leads"


def test_where_gold_is_known_it_decides_if_it_is_trusted():
    traces = said("7", "7", "8", gold="8")
    assert reasons_against_minority(traces, trusts_gold=True) == [None] * 3
    assert [bool(reason) for reason in reasons_against_minority(traces, trusts_gold=False)] == [False, False, True]


def test_what_the_verifier_found_goes_before_the_last_number():
    (one,) = said("It is 7, as of 2024.")
    verdict = Verdict(outcome="wrong", extracted="7")
    assert (final_answer(one), final_answer(one.model_copy(update={"verdict": verdict}))) == ("2024", "7")
