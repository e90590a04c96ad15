"""Where the gold answer of a row stands, and what is no gold answer."""

import pytest

from cotdistill.registry import make

PROBLEMS = [
    ({"answer": "1"}, "1"),
    ({"answer": "so 2 #### 1"}, "1"),
    ({"answer": "so 2", "gold": 1}, "1"),
    ({"answer": "so 2", "expected_answer": "1"}, "1"),
    ({"answer": "so 2", "final_answer": "1"}, "1"),
    ({"solution": "so 2", "ground_truth": "1"}, "1"),
    ({"reference_answer": "1"}, "1"),
    ({"reward_model": {"ground_truth": "1", "style": "rule"}}, "1"),
    ({"extra_info": {"ground_truth": "1"}}, "1"),
    ({"extra_info": {"answer": "1", "index": 3}}, "1"),
    ({"reward_model.ground_truth": "1", "reward_model": {"ground_truth": "2"}}, "1"),
    ({"reward_model": None, "answer": "1"}, "1"),
    ({"gold": None, "answer": "1"}, "1"),
    ({"gold": None}, None),
    ({"solution": "so 2"}, None),
]


@pytest.mark.parametrize(("row", "gold"), PROBLEMS, ids=str)
def test_the_gold_answer_of_a_problem_has_usual_places(row, gold):
    [problem] = make("formats", "problems").read({"question": "q", **row}, "0")
    assert problem.gold == gold


@pytest.mark.parametrize(("row", "gold"), [(r, g) for r, g in PROBLEMS if g and r.keys() != {"answer"}], ids=str)
def test_what_a_teacher_said_is_no_gold_answer(row, gold):
    said = {"question": "q", "reasoning": "r", **row, "answer": "a"}
    [trace] = make("formats", "traces").read(said, "0")
    assert trace.problem.gold == (None if gold == row.get("answer") else gold)


def test_a_column_that_an_entry_names_goes_before_the_usual_ones():
    row = {"question": "q", "answer": "so 3 #### 3", "final_answer": "2", "reward_model": {"style": "1"}}
    named = {"gold": "reward_model.style"}, {"gold": "answer"}, {"answer": "answer"}, {"gold_rule": "gsm8k"}
    found = [make("formats", "problems", **options).read(row, "0")[0].gold for options in named]
    assert found == ["1", "3", "3", "3"]


@pytest.mark.parametrize(
    ("row", "options", "message"),
    [
        ({"gold": ""}, {}, "gold: expected what is right, found nothing; `null` where it is not known"),
        ({"gold": " \n"}, {}, "gold: expected what is right, found nothing"),
        ({"answer": "worked ####"}, {}, "answer: expected what is right, found nothing"),
        ({"reward_model": {"ground_truth": ""}}, {}, r"reward_model\.ground_truth: expected what is right"),
        (
            {"answer": "1"},
            {"gold": "reward_model.gold"},
            r"reward_model\.gold: is missing; keys here: question, answer",
        ),
        ({"reward_model": {"ground_truth": ["1", "2"]}}, {}, r"ground_truth: expected text or a number, found list"),
    ],
)
def test_what_is_no_gold_answer_is_named_by_its_column(row, options, message):
    with pytest.raises(ValueError, match=message):
        make("formats", "problems", **options).read({"question": "q", **row}, "0")
