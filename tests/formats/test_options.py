"""Multiple-choice questions: where their options stand, and which is right."""

import pytest

from cotdistill.registry import make

LIST = {"question": "q", "choices": ["red", "green", "3", "blue"]}
COLUMNS = {"question": "q", "A": "red", "B": "green", "C": 3, "D": "blue"}
LABELS = {"question": "q", "choices": {"label": ["1", "2"], "text": ["red", "green"]}}


def read(row, choices="choices", **options):
    (problem,) = make("formats", "problems", choices=choices, **options).read(row, "0")
    return problem


@pytest.mark.parametrize(
    ("answer", "gold"),
    [(1, "B"), ("1", "B"), ("B", "B"), ("b", "B"), ("green", "B"), (2, "C"), ("3", "D"), (None, None)],
)
def test_the_right_option_is_a_letter_a_number_from_0_or_a_text(answer, gold):
    assert read(LIST | {"answer": answer}).gold == gold


def test_options_may_have_a_column_each_or_labels_of_their_own():
    assert read(COLUMNS | {"answer": "C"}, ("A", "B", "C", "D")).choices == ("red", "green", "3", "blue")
    assert (read(LABELS | {"answer": "2"}).gold, read(LABELS | {"answer": "1"}).gold) == ("B", "A")


LETTERED = {"question": "q", "choices": ["A)125", "B) 150", "C)$225"]}


@pytest.mark.parametrize(("answer", "gold"), [("B", "B"), ("150", "B"), ("C)$225", "C"), (0, "A")])
def test_letters_of_their_own_are_no_part_of_options(answer, gold):
    problem = read(LETTERED | {"answer": answer})
    assert (problem.choices, problem.gold) == (("125", "150", "$225"), gold)


@pytest.mark.parametrize("choices", [["A) x", "y"], ["B) x", "A) y"], ["A", "B"], ["A)", "B)"]])
def test_what_only_looks_like_letters_stays(choices):
    assert read(LETTERED | {"choices": choices}).choices == tuple(choices)


def test_a_question_with_other_options_is_another_one():
    first, second = read(LIST), read(LIST | {"choices": ["1", "2"]})
    assert first.id != second.id
    assert make("formats", "problems").read(LIST, "0")[0].choices == ()


@pytest.mark.parametrize(
    ("row", "options", "fault"),
    [
        (LIST | {"answer": "E"}, {}, "answer: expected a letter from A to D or a number below 4, found `E`"),
        (LIST | {"answer": 4}, {}, "answer: expected a letter from A to D or a number below 4, found `4`"),
        (LIST | {"answer": True}, {}, "answer: expected a letter"),
        ({"question": "q"}, {}, "choices: is missing; keys here: question"),
        (LIST | {"choices": "red"}, {}, "choices: expected a list of 2 to 10 options, found str"),
        (LIST | {"choices": ["red"]}, {}, "choices: expected a list of 2 to 10 options, found 1"),
        (LIST | {"choices": ["red", None]}, {}, "choices: expected the text of each option, found nothing"),
        (LABELS | {"choices": {"label": ["1"]}}, {}, "choices.text: expected a list of 2 to 10 options, found nothing"),
        (LIST, {"group": "subject"}, "subject: is missing"),
        (LIST | {"subject": ["law"]}, {"group": "subject"}, "subject: expected text or a number, found list"),
    ],
)
def test_a_faulty_row_names_its_key(row, options, fault):
    with pytest.raises(ValueError, match=fault.replace("(", r"\(")):
        read(row, **options)


def test_parts_of_a_question_are_put_together():
    row = {"Body": "Tom has 3 pens. ", "Question": "How many?", "Answer": 3.0}
    (problem,) = make("formats", "problems", question=("Body", "Question"), gold="Answer").read(row, "0")
    assert problem.question == "Tom has 3 pens. How many?"


def test_a_question_is_built_from_the_columns_that_it_names():
    row = {"passage": "Tom has {3} pens.", "question": "How {many}?\n", "answer": "3"}
    layout = make("formats", "problems", question="{passage}\n\n{question}")
    assert layout.read(row, "0")[0].question == "Tom has {3} pens.\n\nHow {many}?\n"
    with pytest.raises(ValueError, match="passage: is missing; keys here: question, answer"):
        layout.read({"question": "How many?", "answer": "3"}, "0")


def test_the_worked_answer_is_kept_beside_gold():
    read = make("formats", "problems").read
    assert read({"question": "q", "answer": "2 + 1 = 3\n#### 3"}, "0")[0].solution == "2 + 1 = 3\n#### 3"
    assert read({"question": "q", "answer": "3"}, "0")[0].solution == ""
    assert read({"question": "q", "gold": "3"}, "0")[0].solution == ""
    assert read({"question": "q", "gold": "3", "answer": "2 + 1 = 3"}, "0")[0].solution == "2 + 1 = 3"


@pytest.mark.parametrize(("said", "gold"), [(True, "yes"), (False, "no"), ("true", "yes"), ("No", "no")])
def test_true_is_yes_and_false_is_no(said, gold):
    row = {"question": "q", "answer": said}
    assert make("formats", "problems", gold_rule="yes_no").read(row, "0")[0].gold == gold


def test_what_is_neither_true_nor_false_is_refused():
    with pytest.raises(ValueError, match="answer: expected true or false, found `maybe`"):
        make("formats", "problems", gold_rule="yes_no").read({"question": "q", "answer": "maybe"}, "0")
