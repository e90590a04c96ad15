"""A sheet of people's decisions, read back."""

import csv

import pytest

from cotdistill.errors import UserError
from cotdistill.filters.reviewed import COLUMNS, ReviewSheet, guarded, reason_against_reviewed, text_code
from cotdistill.records import Completion, Problem, Trace, Verdict


def trace(number, text="It is 7.", verdict=None):
    problem = Problem(id=f"p{number}", question=f"q{number}", gold="7")
    return Trace(problem=problem, completion=Completion(key="k", index=0, text=text, reasoning="r"), verdict=verdict)


def sheet(folder, rows, *, columns=COLUMNS, delimiter=","):
    path = folder / "sheet.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.DictWriter(file, columns, delimiter=delimiter, restval="")
        lines.writeheader()
        lines.writerows(rows)
    return path


def row(one, **filled):
    return {"trace": guarded(one.id), "text": text_code(one), "answer": guarded(one.completion.text), **filled}


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_decisions_and_new_words_are_taken_and_all_else_stays(tmp_path, delimiter):
    given = [trace(n, verdict=Verdict(outcome="correct")) for n in range(5)]
    rows = [
        row(given[0], decision=" Accept "),
        row(given[1], decision="reject"),
        row(given[2], new_rationale="First 3;\n\nthen 4.", new_answer="7"),
        row(given[3]),
    ]
    found = list(ReviewSheet(sheet(tmp_path, rows, delimiter=delimiter)).settle(given))
    assert [(t.verdict.outcome, t.reviewed) if t.verdict else t.reviewed for t in found] == [
        *[("correct", "accepted"), ("wrong", "rejected"), ("correct", "accepted"), None, None]
    ]
    assert [t.completion for t in found[:2] + found[3:]] == [t.completion for t in given[:2] + given[3:]]
    assert (found[2].completion.reasoning, found[2].completion.text) == ("First 3;\n\nthen 4.", "7")
    reasons = [reason_against_reviewed(t) if t.verdict else None for t in found]
    assert [bool(reason) for reason in reasons] == [False, True, False, False, False]
    assert reasons[1].kind == "reviewed" and "sheet.csv:3" in reasons[1].text


def test_an_id_that_looks_like_a_formula_comes_back(tmp_path):
    one = trace(0).model_copy(update={"problem": Problem(id="=1+1", question="q")})
    [found] = ReviewSheet(sheet(tmp_path, [row(one, decision="reject")])).settle([one])
    assert found.reviewed == "rejected"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"text": "0" * 12},
            r"sheet\.csv:2: trace p0/0 has another text than in this sheet \(it belongs to another run",
        ),
        ({"trace": "p9/0"}, r"sheet\.csv:2: there is no trace p9/0 \(it belongs to another run"),
    ],
)
def test_a_sheet_of_another_run_is_refused(tmp_path, change, message):
    read = ReviewSheet(sheet(tmp_path, [row(trace(0), decision="accept", **change)]))
    with pytest.raises(UserError, match=message):
        list(read.settle([trace(0)]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"decision": "yes"}], r"sheet\.csv:2: decision: should be accept or reject, found `yes`"),
        ([{"decision": "reject", "new_answer": "7"}], r"sheet\.csv:2: decision: reject, and yet there are new words"),
        ([{"decision": "accept"}] * 2, r"sheet\.csv:3: trace p0/0 is decided twice, first at .*sheet\.csv:2"),
    ],
)
def test_what_cannot_be_meant_is_named(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        ReviewSheet(sheet(tmp_path, [row(trace(0), **filled) for filled in rows]))


def test_another_file_is_no_sheet(tmp_path):
    with pytest.raises(UserError, match="the column `trace` is missing: this is no sheet of traces"):
        ReviewSheet(sheet(tmp_path, [{"question": "q"}], columns=("question", "answer")))
    with pytest.raises(UserError, match="no such file"):
        ReviewSheet(tmp_path / "no.csv")
