"""What a task asks: its words, its examples, its draw."""

import pytest

from cotdistill.data.task import Task, cluster_of, with_options
from cotdistill.data.task_entry import TaskOptions
from cotdistill.records import Completion, Problem, Trace

CHOICE = Problem(id="c", question="Which {one}?", gold="B", choices=("Rome", "Paris"), group="geography")


def test_a_question_is_put_as_it_is_where_the_task_says_nothing():
    problem = Problem(id="p", question="How {many}?", gold="2")
    assert Task("t", (problem,)).asked(problem) == problem


def test_options_stand_below_the_question_once():
    asked = Task("t", (CHOICE,)).asked(CHOICE)
    assert asked.question == "Which {one}?\n\nA) Rome\nB) Paris"
    assert with_options(asked) == asked
    assert asked.choices == CHOICE.choices


def test_only_declared_names_are_replaced():
    task = Task("t", (CHOICE,), TaskOptions(prompt="{choices}\n{question} \\boxed{} {other}"))
    assert task.asked(CHOICE).question == "A) Rome\nB) Paris\nWhich {one}? \\boxed{} {other}"


def test_a_prompt_without_the_options_shows_them_all_the_same():
    task = Task("t", (CHOICE,), TaskOptions(prompt="Q: {question} {choice}"))
    assert task.asked(CHOICE).question == "Q: Which {one}?\n\nA) Rome\nB) Paris {choice}"


def test_each_group_is_asked_in_its_own_words():
    options = TaskOptions(
        sets={"de": "a", "en": "b"}, prompt={"de": "{question} Deutsch!", "en": "{question} English!"}
    )
    task = Task("t", (), options)
    asked = [task.asked(Problem(id=f"{group}/1", question="7?", group=group)).question for group in ("de", "en")]
    assert asked == ["7? Deutsch!", "7? English!"]


def test_worked_examples_are_put_like_the_question_and_are_of_its_group():
    shot = Trace(problem=CHOICE, completion=Completion(key="", index=0, text="B"))
    task = Task("t", (), TaskOptions(prompt="Now: {question}"), {"geography": (shot,)})
    (shown,) = task.shots_for(CHOICE)
    assert shown.problem.question.startswith("Now: Which {one}?")
    assert task.shots_for(CHOICE.model_copy(update={"group": "law"})) == ()


def translated(languages, numbers):
    problems = tuple(
        Problem(id=f"{language}/{n}", question=f"{language} {n}", group=language)
        for language in languages
        for n in numbers
    )
    return Task("t", problems, TaskOptions(sets={lang: lang for lang in languages}, languages=True, clusters=True))


def test_a_limit_draws_the_same_questions_in_every_language_and_a_larger_one_keeps_them():
    task = translated(("de", "en", "zh"), range(1, 51))
    drawn = {limit: task.first(limit, seed=1) for limit in (5, 9)}
    of_group = {}
    for problem in drawn[5].problems:
        of_group.setdefault(problem.group, set()).add(cluster_of(problem.id, problem.group))
    assert len(of_group) == 3 and len(set(map(frozenset, of_group.values()))) == 1
    assert len(of_group["de"]) == 5
    assert set(drawn[5].problems) < set(drawn[9].problems)
    assert [p.id for p in drawn[5].problems] != [p.id for p in task.problems[:5]]
    assert task.first(5, seed=2).problems != drawn[5].problems
    assert task.first(None, seed=1) is task


def test_a_limit_above_the_size_of_a_group_takes_all_of_it():
    task = translated(("de",), range(1, 4))
    assert task.first(20, seed=1).problems == task.problems


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"prompt": "no name"}, "{question} is missing"),
        ({"sets": {"de": "a", "en": "b"}, "prompt": {"de": "{question}"}}, "other groups: en"),
        ({"sets": "a", "languages": True}, "need groups"),
        ({"clusters": True}, "need groups"),
        ({"shots": 2}, "go together"),
        ({"verifier": {"kind": "judge"}}, "unknown kind"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(options, fault):
    with pytest.raises(ValueError, match=fault):
        TaskOptions(**options)


@pytest.mark.parametrize(
    ("problem", "group", "cluster"),
    [("de/17", "de", "17"), ("17", "de", "17"), ("17", "", "17"), ("de/17", "", "de/17"), ("de/a/b", "de", "a/b")],
)
def test_a_question_is_shared_by_the_groups_that_stand_before_it(problem, group, cluster):
    assert cluster_of(problem, group) == cluster
