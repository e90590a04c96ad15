"""What the teacher is asked, word for word; nothing is sent."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.errors import UserError
from cotdistill.records import Completion, Problem
from cotdistill.registry import make

PROBLEM = Problem(id="p", question="Is {x: 1} in \\boxed{gold}? {question} {gold} {0} %s", gold="{question} 72")
EXAMPLES = [
    {"question": "1 + 1?", "answer": "2", "reasoning": "One and one."},
    {"question": "{gold} 2 + 2?", "answer": "4"},
    {"question": "3 + 3?", "answer": "It is 6.", "reasoning": None, "gold": "6"},
]


def teacher(**options):
    return make("samplers", "endpoint", base_url="http://127.0.0.1:9/v1", model="r1", **options)


def file(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    return path


def examples(tmp_path, rows=EXAMPLES):
    return file(tmp_path, "shots.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def turns(messages):
    return [(message.role, message.content) for message in messages]


def completion(**fields):
    return Completion(key="0" * 64, index=0, text="so 70 + 2", **fields)


def test_without_a_template_the_question_is_asked_as_it_stands():
    assert turns(teacher().messages(PROBLEM)) == [("user", PROBLEM.question)]


def test_what_is_put_into_a_template_is_not_looked_at_again(tmp_path):
    template = file(tmp_path, "t.txt", "{gold} | {question} | \\boxed{} {other} {{question}}\n")
    [(_, text)] = turns(teacher(prompt=template).messages(PROBLEM))
    assert text == f"{PROBLEM.gold} | {PROBLEM.question} | \\boxed{{}} {{other}} {{{PROBLEM.question}}}\n"


@given(st.text(), st.text())
def test_any_question_and_any_gold_are_asked_as_they_are(tmp_path_factory, question, gold):
    template = tmp_path_factory.getbasetemp() / "hint.txt"
    template.write_text("A {question} B {gold} C")
    messages = teacher(prompt=template).messages(Problem(id="p", question=question, gold=gold))
    assert messages[0].content == f"A {question} B {gold} C"


def test_the_system_prompt_stands_first_and_the_worked_examples_are_earlier_turns(tmp_path):
    template = file(tmp_path, "t.txt", "Q: {question}")
    asked = teacher(prompt=template, system="Be brief.", exemplars=examples(tmp_path)).messages(PROBLEM)
    assert turns(asked) == [
        ("system", "Be brief."),
        ("user", "Q: 1 + 1?"),
        ("assistant", "One and one.\n\n2"),
        ("user", "Q: {gold} 2 + 2?"),
        ("assistant", "4"),
        ("user", "Q: 3 + 3?"),
        ("assistant", "It is 6."),
        ("user", f"Q: {PROBLEM.question}"),
    ]


@pytest.mark.parametrize("shots", [0, 1, 2, 3])
def test_shots_takes_the_first_worked_examples(tmp_path, shots):
    asked = teacher(exemplars=examples(tmp_path), shots=shots).messages(PROBLEM)
    assert [m.content for m in asked if m.role == "user"][:-1] == [row["question"] for row in EXAMPLES[:shots]]


def test_a_worked_example_shows_its_gold_where_the_template_does(tmp_path):
    template = file(tmp_path, "t.txt", "{question} ({gold})")
    asked = teacher(prompt=template, exemplars=examples(tmp_path)).messages(PROBLEM)
    assert [m.content for m in asked if m.role == "user"][:3] == ["1 + 1? (2)", "{gold} 2 + 2? (4)", "3 + 3? (6)"]


@pytest.mark.parametrize(
    ("rows", "place"),
    [
        ('{"question": "q", "answer": "a"}\n{"question": "q"}\n', r"shots\.jsonl:2: answer: must be a text"),
        ('{"answer": "a"}\n', r"shots\.jsonl:1: question: must be a text"),
        ('{"question": "q", "answer": 4}\n', r"shots\.jsonl:1: answer: must be a text"),
        ('{"question": "q", "answer": "a", "reasoning": ["r"]}\n', r"shots\.jsonl:1: reasoning: must be a text"),
        ('{"question": "q", "answer": "a"}\n\n{"question": \n', r"shots\.jsonl:3"),
        ('{"question": "q", "answer": "a"}\n["q", "a"]\n', r"shots\.jsonl:2"),
    ],
)
def test_a_bad_worked_example_is_named_by_file_line_and_key(tmp_path, rows, place):
    path = file(tmp_path, "shots.jsonl", rows)
    with pytest.raises(UserError, match=place):
        teacher(exemplars=path).check()


def test_a_file_of_worked_examples_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=re.escape(f"{tmp_path}/none.jsonl: no such file")):
        teacher(exemplars=tmp_path / "none.jsonl").check()


def test_more_shots_than_there_are_worked_examples_are_refused(tmp_path):
    with pytest.raises(UserError, match="has 3 worked examples, not 4"):
        teacher(exemplars=examples(tmp_path), shots=4).check()


@pytest.mark.parametrize("shots", [1, 8])
def test_shots_without_worked_examples_are_refused(shots):
    with pytest.raises(UserError, match="`shots` needs `exemplars`"):
        teacher(shots=shots).check()


def test_a_negative_number_of_shots_is_refused(tmp_path):
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        teacher(exemplars=examples(tmp_path), shots=-1)


def test_the_gold_is_shown_only_by_a_template_that_names_it(tmp_path):
    with_gold = teacher(prompt=file(tmp_path, "h.txt", "{question} Hint: {gold}"))
    without = teacher(prompt=file(tmp_path, "t.txt", "{question} {{gold} {Gold}".replace("{{gold}", "gold")))
    assert (with_gold.shows_gold, without.shows_gold, teacher().shows_gold) == (True, False, False)


def test_a_hint_needs_a_gold_answer(tmp_path):
    template = file(tmp_path, "h.txt", "{question} Hint: {gold}")
    with pytest.raises(UserError, match=r"h\.txt: the template shows \{gold\}, and problem bare has no gold answer"):
        teacher(prompt=template).messages(Problem(id="bare", question="q"))


def test_the_second_call_holds_the_first_and_asks_for_the_answer():
    chain = teacher(answer_prompt="Therefore, the answer is", system="s")
    asked = chain.follow_up(PROBLEM, completion(reasoning="Half of 48"))
    assert turns(asked) == [
        ("system", "s"),
        ("user", PROBLEM.question),
        ("assistant", "Half of 48\n\nso 70 + 2"),
        ("user", "Therefore, the answer is"),
    ]
    assert chain.is_one_call is False


@pytest.mark.parametrize("status", ["truncated", "empty_answer", "refusal", "content_filter"])
def test_after_a_first_call_that_gave_nothing_whole_no_second_is_made(status):
    assert teacher(answer_prompt="So?").follow_up(PROBLEM, completion(status=status)) is None


def test_without_a_second_question_one_call_is_all():
    assert teacher().is_one_call
    assert teacher().follow_up(PROBLEM, completion()) is None


def test_the_shipped_examples_are_eight_whose_sums_and_finals_hold(repository):
    sampler = teacher(exemplars=repository / "configs" / "exemplars" / "arithmetic.jsonl")
    asked = sampler.messages(PROBLEM)
    assert len(asked) == 2 * 8 + 1
    verify = make("verifiers", "numeric")
    for line in sampler.exemplars.read_text().splitlines():
        row = json.loads(line)
        assert verify(row["gold"], row["answer"]).outcome == "correct"
        equations = re.findall(r"([\d +*/-]+) = (\d+)", row["reasoning"])
        assert equations and all(eval(left) == int(right) for left, right in equations)
