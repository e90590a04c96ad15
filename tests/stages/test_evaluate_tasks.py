"""Tasks in an evaluation: each graded by its own verifier, the others by the recipe's; answers are stored already."""

import json

import pytest

from cotdistill.data.task import Task
from cotdistill.data.task_entry import TaskOptions
from cotdistill.records import Checkpoint, Conversation, Message, Problem, Sampling
from cotdistill.registry import kinds, make
from cotdistill.stage import Workspace
from cotdistill.stages import stages
from cotdistill.storage.keys import completion_key
from cotdistill.storage.ledger import Ledger, LedgerEntry
from tests.support.judge_server import by_truth, says

GERMAN = "Zuerst rechne ich aus, wie viele Eier die Enten am Tag legen, und ziehe dann die gegessenen ab."
EVALUATE = stages()["evaluate"]


def store(folder, tasks, answers, style):
    """Write the answers as a student would have given them to what the tasks ask."""
    with Ledger(folder / "completions.jsonl") as ledger:
        asked = ((task, problem) for task in tasks.values() for problem in task.problems)
        for (task, problem), text in zip(asked, answers, strict=True):
            prompt = style.prompt(task.asked(problem), task.shots_for(problem))
            key = completion_key("weights", prompt, Sampling(max_tokens=64, temperature=0))
            choice = {"message": {"content": text}, "finish_reason": "stop"}
            ledger.append(LedgerEntry(key=key, index=0, problem_id=problem.id, response={"choices": [choice]}))


@pytest.fixture
def grade(tmp_path):
    def run(tasks, answers, *, style="plain", **roles):
        style = make("styles", style)
        store(tmp_path, tasks, answers, style)
        student = kinds("students")["demo"].options(kind="demo")
        roles = {"tasks": tasks, "style": style, "verifier": make("verifiers", "numeric"), "student": student} | roles
        checkpoint = Checkpoint(path="none", fingerprint="weights")
        work = Workspace(tmp_path, tmp_path, 1)
        return list(EVALUATE.function([checkpoint], EVALUATE.options(max_tokens=64), work, **roles))

    return run


def test_each_task_is_graded_by_its_own_verifier_and_asked_in_its_own_words(grade, tmp_path):
    choice = Problem(id="c", question="Which?", gold="B", choices=("Rome", "Paris"), group="law")
    german = Problem(id="de/1", question="Wie viele?", gold="1200", group="de")
    tasks = {
        "plain": Task("plain", (Problem(id="p", question="1 + 1?", gold="2"),)),
        "mmlu": Task("mmlu", (choice,), TaskOptions(verifier="choice", group="g", general=True)),
        "mgsm": Task("mgsm", (german,), TaskOptions(sets={"de": "x"}, verifier="numeric", languages=True)),
    }
    scores = grade(tasks, ["It is 2.", "Paris", "1.200"])
    assert [(s.task, s.verdict.outcome) for s in scores] == [
        ("plain", "correct"),
        ("mmlu", "correct"),
        ("mgsm", "correct"),
    ]
    assert scores[1].problem == choice, "what is kept is the question, without the words around it"
    report = json.loads((tmp_path / "report.json").read_text())["tasks"]
    assert [(report[name]["general"], report[name]["languages"]) for name in tasks] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_the_judge_is_asked_about_tasks_that_name_no_verifier(grade):
    problems = tuple(Problem(id=f"p{n}", question=f"Which city, {n}?", gold="Paris") for n in range(5))
    own = TaskOptions(verifier="exact")
    tasks = {
        "own": Task("own", problems[:2], own),
        "open": Task("open", problems[2:4]),
        "last": Task("last", problems[4:], own),
    }
    answers = ["the capital of France", "Paris", "the capital of France", "the capital of Italy", "Rome"]
    with says(by_truth) as server:
        judge = make("samplers", "endpoint", base_url=server.base_url, model="j")
        scores = grade(tasks, answers, verifier=make("verifiers", "judge"), judge=judge)
        assert len(server.requests) == 2
    assert [s.verdict.outcome for s in scores] == ["wrong", "correct", "correct", "wrong", "wrong"]


def test_a_score_says_which_language_was_thought_in_and_what_was_learned(grade):
    pytest.importorskip("py3langid")
    problems = tuple(
        Problem(id=f"{group}/1", question=f"Wie viele, {group}?", gold="5", group=group) for group in ("de", "en")
    )
    options = TaskOptions(sets={"de": "x", "en": "y"}, verifier="numeric", languages=True)
    tasks = {"mgsm": Task("mgsm", problems, options), "other": Task("other", problems[:1])}
    learned = [
        Conversation(
            id="p7/0",
            messages=(Message(role="user", content="Wie viele, EN?"), Message(role="assistant", content="5")),
        )
    ]
    answer = f"<think>\n{GERMAN}\n</think>\n\n5"
    scores = grade(tasks, [answer] * 3, style="think", learned=learned)
    assert [s.language for s in scores] == ["de", "de", ""]
    assert [s.learned_from for s in scores] == ["", "p7/0", ""]
