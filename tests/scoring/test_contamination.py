"""What a student learned of its exam."""

import tracemalloc

from cotdistill.data.task import Task
from cotdistill.filters.contamination import Place
from cotdistill.records import Conversation, Message, Problem
from cotdistill.scoring.contamination import learned_questions

NAMES = ("Ada", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal", "Ina", "Joe")


def asked(n):
    given = ", ".join(f"{name} has {n + place} coins{n}" for place, name in enumerate(NAMES))
    return f"{given}. How many do they have in all?"


def row(row_id, question, answer="42"):
    messages = Message(role="user", content=question), Message(role="assistant", content=answer)
    return Conversation(id=row_id, messages=messages)


def tasks(**questions):
    return {
        name: Task(name, tuple(Problem(id=f"{name}{n}", question=text) for n, text in enumerate(texts)))
        for name, texts in questions.items()
    }


def test_ten_planted_copies_are_found_however_they_are_written_and_nothing_else():
    exam = tasks(t=[asked(n) for n in range(50)])
    learned = [row(f"clean/{n}", f"What is {n} + 7?", f"<think>\n{n} and seven\n</think>\n{n + 7}") for n in range(100)]
    for n in range(10):
        text = [asked(n).upper(), f"Solve: {asked(n)}", " ".join(asked(n).split()[3:20])][n % 3]
        learned.insert(7 * n, row(f"planted/{n}", text) if n % 2 else row(f"planted/{n}", "Say it.", text))
    assert learned_questions(exam, learned) == {Place("t", f"t{n}"): f"planted/{n}" for n in range(10)}


def test_one_row_counts_for_every_task_that_asks_its_question():
    exam = tasks(a=[asked(1)], b=[asked(2), asked(1) + " Why?"], c=["How many plums?"], d=["how many PLUMS"])
    found = learned_questions(exam, [row("r1", asked(1)), row("r2", "How many plums?"), row("r3", asked(1))])
    assert found == {
        Place("a", "a0"): "r1",
        Place("b", "b1"): "r1",
        Place("c", "c0"): "r2",
        Place("d", "d0"): "r2",
    }


def test_a_question_without_spaces_is_found_among_words_of_another_script():
    question = "珍妮特的鸭子每天下十六颗蛋她每天早上早餐时吃三颗每天用四颗为她的朋友做松饼"
    english = "Please answer the following question and think about every single step of it before you say a word: "
    found = learned_questions(tasks(zh=[question]), [row("r", english * 3 + question)])
    assert found == {Place("zh", "zh0"): "r"}


def test_twelve_words_are_too_few():
    question = asked(3)
    assert not learned_questions(tasks(t=[question]), [row("r", " ".join(question.split()[:12]))])


def test_nothing_was_learned_by_an_untrained_student():
    assert learned_questions(tasks(t=[asked(1)]), None) == {}


def test_memory_does_not_hold_the_rows():
    exam = tasks(t=[asked(n) for n in range(20)])
    peaks = []
    for count in (50, 4000):
        tracemalloc.start()
        learned_questions(exam, (row(f"r{n}", f"{n} apples and plums " * 50) for n in range(count)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # 3,950 rows more are 4 MB of text; Python itself keeps up to 2,000 tuples of each length for later use.
    assert peaks[1] < peaks[0] + 1_000_000
