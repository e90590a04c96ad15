from cotdistill.filters import Reason
from cotdistill.filters.duplicates import reasons_against_copies, reasons_against_near_copies
from tests.support.traces import trace

WORDS = [f"w{i}" for i in range(100)]


def reasoning(*changed):
    return " ".join("other" if i in changed else word for i, word in enumerate(WORDS))


def test_the_first_of_equal_traces_stays_whatever_its_marks():
    traces = [
        trace("It is 7.", index=0),
        trace("it is: 7", index=1),
        trace("It is 8.", index=2),
        trace("It is 7.", "another way", index=3),
        trace("It is 8.", index=4),
    ]
    assert reasons_against_copies(traces) == [
        None,
        Reason("duplicate", "says what sample 0 of the problem says (limit 0 copies)"),
        None,
        None,
        Reason("duplicate", "says what sample 2 of the problem says (limit 0 copies)"),
    ]


def test_likeness_is_measured_against_what_stays():
    one, near, far = reasoning(), reasoning(50), reasoning(*range(0, 100, 7))
    traces = [trace(reasoning=text, index=i) for i, text in enumerate([one, near, far, near])]
    found = reasons_against_near_copies(traces, 0.9)
    assert [bool(reason) for reason in found] == [False, True, False, True]
    assert found[1] == Reason("near_duplicate", "0.94 like sample 0 of the problem (limit 0.9)")
    assert reasons_against_near_copies(traces, 0.95) == [
        None,
        None,
        None,
        Reason("near_duplicate", "1.00 like sample 1 of the problem (limit 0.95)"),
    ]


def test_nothing_is_like_nothing():
    assert reasons_against_copies([]) == reasons_against_near_copies([], 0.9) == []
