"""The columns of public sets of questions, as files of three invented rows each, and the questions that they ask."""

from typing import Any, NamedTuple

Row = dict[str, Any]  # Any: JSON values


class QuestionSet(NamedTuple):
    """A ready entry, and three rows as the hub's file has them."""

    name: str
    rows: tuple[Row, ...]
    asked: tuple[tuple[str, str], ...]
    """Question, options left out, and gold answer of each row."""


def _sums(question: str, gold: str, *, as_number: bool) -> tuple[Row, ...]:
    golds: tuple[object, ...] = (43.0, 26.0, 5.5) if as_number else ("43", "26", "5.5")
    return tuple({question: f"How many, {n}?", gold: said} for n, said in enumerate(golds))


def _numbered(*golds: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"How many, {n}?", gold) for n, gold in enumerate(golds))


_WORKED = tuple({"question": f"How many, {n}?", "answer": f"Worked out.\n#### {n}"} for n in (4, 5, 6))
_SVAMP = tuple(
    {"ID": f"chal-{n}", "Body": f"Tom has {n} pens. ", "Question": "How many?", "Answer": f"{n}.0", "Type": "Sum"}
    for n in (1, 2, 3)
)
_AQUA = tuple(
    {
        **{"question": f"What profit is made on {n} bags?", "rationale": "…", "correct": letter},
        "options": ["A)125", "B)$150", "C)7(√3 – 1)", "D)250", "E)None of these"],
    }
    for n, letter in ((1, "A"), (2, "C"), (3, "E"))
)
_COMMON = tuple(
    {
        **{"id": f"q{n}", "question": f"Where is thing {n}?", "question_concept": "thing", "answerKey": letter},
        "choices": {"label": list("ABCDE"), "text": ["bank", "library", "mall", "sea", "new york"]},
    }
    for n, letter in ((1, "A"), (2, "B"), (3, "E"))
)
_STRATEGY = tuple(
    {"qid": f"q{n}", "term": "t", "description": "d", "question": f"Can it, {n}?", "answer": said, "facts": "f"}
    for n, said in ((1, True), (2, False), (3, True))
)
_DATES = tuple(
    {"input": f"Today is {n} May 2002. Which day is it?\nOptions:\n(A) 05/01/2002\n(B) 05/02/2002", "target": letter}
    for n, letter in ((1, "(A)"), (2, "(B)"), (3, "(B)"))
)
_SHUFFLED = tuple(
    {"input": f"{name} holds\nOptions:\n(A) pink ball\n(B) blue ball\n(C) white ball", "target": letter}
    for name, letter in (("Alice", "(A)"), ("Bob", "(B)"), ("Claire", "(C)"))
)
_HOTPOT = tuple(
    {
        **{"id": f"h{n}", "question": f"Who was it, {n}?", "answer": who, "type": "bridge", "level": "hard"},
        "supporting_facts": {"title": ["Ed Wood"], "sent_id": [0]},
        "context": {
            "title": ["Ed Wood", "Meg"],
            "sentences": [["Ed Wood is a film.", " It is of 1994."], [f"Meg is {n}."]],
        },
    }
    for n, who in ((1, "Tim Burton"), (2, "yes"), (3, "1994"))
)
_COQA = tuple(
    {
        **{
            "source": "mctest",
            "story": f"A white kitten, {n}, lived\nin a barn.",
            "questions": ["Who was it?", "Why?"],
        },
        "answers": {"input_text": [who, "paint"], "answer_start": [0, 9], "answer_end": [5, 14]},
    }
    for n, who in ((1, "a kitten"), (2, "Cotton"), (3, "no"))
)


def _inputs(rows: tuple[Row, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((row["input"], row["target"]) for row in rows)


_HOTPOT_ASKED = tuple(
    (f"Ed Wood is a film. It is of 1994.\nMeg is {n}.\n\nWho was it, {n}?", row["answer"])
    for n, row in enumerate(_HOTPOT, start=1)
)
_COQA_ASKED = tuple((f"{row['story']}\n\nWho was it?", row["answers"]["input_text"][0]) for row in _COQA)
_AQUA_ASKED = tuple((row["question"], row["correct"]) for row in _AQUA)
_BBH = tuple({"input": f"not ( True ) is {n}", "target": said} for n, said in ((1, "False"), (2, "valid"), (3, "-24")))

QUESTION_SETS = (
    QuestionSet("singleeq", _sums("input", "target", as_number=True), _numbered("43.0", "26.0", "5.5")),
    QuestionSet("addsub", _sums("input", "target", as_number=True), _numbered("43.0", "26.0", "5.5")),
    QuestionSet("multiarith", _sums("question", "final_ans", as_number=False), _numbered("43", "26", "5.5")),
    QuestionSet("svamp", _SVAMP, tuple((f"Tom has {n} pens. How many?", f"{n}.0") for n in (1, 2, 3))),
    QuestionSet("gsm8k", _WORKED, tuple((f"How many, {n}?", str(n)) for n in (4, 5, 6))),
    QuestionSet("aqua", _AQUA, _AQUA_ASKED),
    QuestionSet("aqua_test", _AQUA, _AQUA_ASKED),
    QuestionSet("commonsense_qa", _COMMON, tuple((row["question"], row["answerKey"]) for row in _COMMON)),
    QuestionSet("strategyqa", _STRATEGY, (("Can it, 1?", "yes"), ("Can it, 2?", "no"), ("Can it, 3?", "yes"))),
    QuestionSet("date_understanding", _DATES, _inputs(_DATES)),
    QuestionSet("tracking_shuffled_objects", _SHUFFLED, _inputs(_SHUFFLED)),
    QuestionSet("hotpotqa", _HOTPOT, _HOTPOT_ASKED),
    QuestionSet("hotpotqa_validation", _HOTPOT, _HOTPOT_ASKED),
    QuestionSet("coqa", _COQA, _COQA_ASKED),
    QuestionSet("coqa_validation", _COQA, _COQA_ASKED),
    QuestionSet("bbh_boolean_expressions", _BBH, _inputs(_BBH)),
)
