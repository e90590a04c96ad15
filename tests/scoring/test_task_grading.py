"""A task's own verifier, in the language and with the options of the question."""

import pytest

from cotdistill.data.task import Task
from cotdistill.data.task_entry import TaskOptions
from cotdistill.records import Completion, Problem, Trace
from cotdistill.registry import make
from cotdistill.scoring.task_grading import TaskGrader, thought_language


def graded(task, problem, text):
    trace = Trace(problem=problem, completion=Completion(key="", index=0, text=text))
    return TaskGrader(task).graded(trace).verdict


def mgsm(verifier="numeric"):
    sets = {"de": "a", "en": "b", "xx": "c"}
    return Task("t", (), TaskOptions(sets=sets, verifier=verifier, languages=True))


def test_a_task_that_names_no_verifier_is_left_to_the_recipe():
    assert graded(Task("t", ()), Problem(id="p", question="q", gold="2"), "2") is None


@pytest.mark.parametrize(("group", "outcome"), [("de", "correct"), ("en", "wrong"), ("xx", "correct")])
def test_a_number_is_read_in_the_language_of_the_question_where_it_is_known(group, outcome):
    problem = Problem(id="de/1", question="q", gold="1234", group=group)
    assert graded(mgsm(), problem, "Das sind 1.234").outcome == outcome


def test_what_the_registry_says_of_the_language_stays():
    problem = Problem(id="de/1", question="q", gold="1234", group="de")
    assert graded(mgsm({"kind": "numeric", "locale": "en"}), problem, "Das sind 1.234").outcome == "wrong"


def test_a_verifier_without_languages_grades_all_the_same():
    assert graded(mgsm("exact"), Problem(id="de/1", question="q", gold="4", group="de"), "4").outcome == "correct"


def test_an_option_may_be_named_by_its_text():
    task = Task("t", (), TaskOptions(verifier="choice"))
    problem = Problem(id="p", question="q", gold="B", choices=("Rome", "Paris"))
    said = {text: graded(task, problem, text).outcome for text in ("B", "Paris", "The answer is (A).", "Rome", "Oslo")}
    assert said == {
        "B": "correct",
        "Paris": "correct",
        "The answer is (A).": "wrong",
        "Rome": "wrong",
        "Oslo": "unparsed",
    }


def test_options_of_one_question_are_not_those_of_the_next():
    grader = TaskGrader(Task("t", (), TaskOptions(verifier="choice")))
    outcomes = []
    for choices in (("Rome", "Paris"), ("Paris", "Rome")):
        problem = Problem(id="p", question="q", gold="B", choices=choices)
        trace = Trace(problem=problem, completion=Completion(key="", index=0, text="Paris"))
        outcomes.append(grader.graded(trace).verdict.outcome)
    assert outcomes == ["correct", "wrong"]


def test_ready_yes_and_no_are_read():
    task = Task("t", (), TaskOptions(verifier={"kind": "choice", "texts": ["yes", "no"]}))
    problem = Problem(id="p", question="q", gold="no")
    assert [graded(task, problem, text).outcome for text in ("So the answer is no.", "Yes.")] == ["correct", "wrong"]


GERMAN = "Zuerst rechne ich aus, wie viele Eier die Enten am Tag legen, und dann ziehe ich die gegessenen Eier ab."
ENGLISH = "First I work out how many eggs the ducks lay in a day, and then I take away those that were eaten."


@pytest.mark.parametrize(
    ("reasoning", "text", "language"),
    [
        (GERMAN, ENGLISH, "de"),
        (ENGLISH, GERMAN, "en"),
        ("", GERMAN, "de"),
        ("首先我计算鸭子每天下多少个蛋，然后减去被吃掉的蛋，最后乘以每个蛋的价格。", "18", "zh"),
        ("", "18", ""),
    ],
)
def test_the_language_of_the_thought_is_told(reasoning, text, language):
    pytest.importorskip("py3langid")
    assert thought_language(Completion(key="", index=0, text=text, reasoning=reasoning)) == language


def test_a_trace_that_has_a_verdict_keeps_it(tmp_path):
    from cotdistill.scoring.grading import grade
    from cotdistill.stage import Workspace

    task = Task("t", (), TaskOptions(verifier="exact"))
    problem = Problem(id="p", question="q", gold="a tort")
    trace = Trace(problem=problem, completion=Completion(key="", index=0, text="a tort"))
    own = TaskGrader(task).graded(trace)
    numeric = make("verifiers", "numeric")
    found = list(grade([own, trace], numeric, None, Workspace(tmp_path, tmp_path, 1)))
    assert [row.verdict.outcome for row in found] == ["correct", "error"]
