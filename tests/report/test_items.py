import pytest

from cotdistill.records import Equations
from cotdistill.report.compare import read_contest
from cotdistill.report.items import flipped, items_json, unsolved
from tests.support.exams import answer, write_exam

HERE = ["correct", "correct", "wrong", "wrong", "unparsed", "wrong"]
THERE = ["correct", "wrong", "correct", "wrong", "wrong", "wrong"]
TEACHER = ["correct"] * 5 + ["wrong"]


def graded(outcomes, **more):
    return [answer("t", f"p{i}", outcome, **more) for i, outcome in enumerate(outcomes)]


@pytest.fixture
def contest(tmp_path):
    student = graded(HERE)
    student[3] = answer("t", "p3", "wrong", reasoning="3 + 4 = 8", equations=Equations(stated=1, held=0))
    run = write_exam(tmp_path, {"student": student, "baseline": graded(THERE), "teacher": graded(TEACHER)}, baseline={})
    return read_contest([str(run)])


def test_questions_flip_both_ways(contest):
    found = [(item.kind, item.problem.id) for item in flipped(contest, "t") if item.model == "student"]
    assert found == [("gained", "p1"), ("lost", "p2")]
    item = next(item for item in flipped(contest, "t") if item.kind == "lost")
    assert (item.against, item.answer.verdict.extracted, item.other.verdict.extracted) == ("baseline", "8", "7")


def test_what_the_teacher_alone_solves_is_told_by_kind(contest):
    found = [(item.model, item.kind, item.problem.id) for item in unsolved(contest, "t")]
    assert found == [
        ("student", "no answer", "p4"),
        ("student", "an equation that does not hold", "p3"),
        ("student", "another value", "p2"),
    ]


def test_the_teacher_counts_though_only_its_student_is_compared(tmp_path):
    write_exam(tmp_path, {"student": graded(HERE), "teacher": graded(TEACHER)})
    contest = read_contest([f"{tmp_path}:student"])
    assert [item.problem.id for item in unsolved(contest, "t")] == ["p4", "p2", "p3"]
    assert flipped(contest, "t") == []


def test_an_answer_to_several_attempts_is_one_like_most(tmp_path):
    three = [answer("t", "p", outcome, index=i) for i, outcome in enumerate(("wrong", "correct", "correct"))]
    none = [answer("t", "p", "wrong", index=i) for i in range(3)]
    write_exam(tmp_path, {"student": three, "baseline": none})
    (item,) = flipped(read_contest([str(tmp_path)]), "t")
    assert (item.kind, item.answer.completion.index) == ("gained", 1)


def test_both_answers_are_told_in_full(contest):
    found = items_json(unsolved(contest, "t"))[1]
    assert found["answer"]["reasoning"] == "3 + 4 = 8"
    assert found["answer"]["equations"] == {"stated": 1, "held": 0}
    assert found["other"]["text"] == "It is 7."
    assert (found["gold"], found["problem"], found["against"]) == ("7", "p3", "teacher")
