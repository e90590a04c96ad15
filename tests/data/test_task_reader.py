"""Names of tasks -> their problems, from small files in the layouts of the ready sets."""

import json

import pytest

from cotdistill.data import open_catalog
from cotdistill.data.task_reader import TaskReader
from cotdistill.errors import UserError
from tests.support.offline import cut_off

LANGUAGES = ("bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh")
MMLU = {"question": "What is it?", "subject": "law", "choices": ["a tort", "a crime", "4", "1"], "answer": 1}
CSQA = {"id": "7c", "question": "Where?", "question_concept": "x", "answerKey": "B"}
CSQA["choices"] = {"label": ["A", "B"], "text": ["here", "there"]}
STRATEGY = {"qid": "q1", "term": "t", "description": "d", "question": "Can it?", "answer": False, "facts": "f"}
SVAMP = {"ID": "chal-1", "Body": "Tom has 3 pens.", "Question": "How many?", "Equation": "( 3 )", "Answer": "3.0"}


@pytest.fixture
def place(tmp_path, repository, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cut_off(monkeypatch)
    (tmp_path / "dataset_info.json").write_text((repository / "dataset_info.json").read_text())
    (tmp_path / "data").mkdir()

    def put(name, *rows, text=None):
        written = text if text is not None else "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "data" / name).write_text(written, encoding="utf-8")

    return put


def read(name):
    return TaskReader(open_catalog([])).read(name)


def register(tmp_path, **entries):
    path = tmp_path / "dataset_info.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | entries, indent=1))


def own(tmp_path, name):
    return TaskReader(open_catalog([tmp_path])).read(name)


def mgsm(place, rows=2):
    for language in LANGUAGES:
        place(f"mgsm_{language}.tsv", text="".join(f"{language} {n}?\t{n},000\n" for n in range(1, rows + 1)))


def test_gsm8k_is_its_test_split_as_a_task(place):
    place("gsm8k.jsonl", {"question": "train", "answer": "#### 1"})
    place("gsm8k_test.jsonl", {"question": "test", "answer": "#### 2"})
    task = read("gsm8k")
    assert [(p.question, p.gold) for p in task.problems] == [("test", "2")]
    assert task.options.verifier.kind == "numeric"
    assert (task.options.key_options(), read("gsm8k_test").problems) == (
        {"verifier": {"kind": "numeric", "locale": None}},
        task.problems,
    )


@pytest.mark.parametrize(
    ("file", "row", "name", "question", "gold"),
    [
        ("gsm8k_platinum.jsonl", {"question": "q", "answer": "…\n#### 7"}, "gsm8k_platinum", "q", "7"),
        ("MATH-500.jsonl", {"problem": "q", "answer": "\\frac12", "unique_id": "u"}, "MATH-500", "q", "\\frac12"),
        ("svamp.jsonl", SVAMP, "svamp", "Tom has 3 pens. How many?", "3.0"),
        ("multiarith.jsonl", {"question": "q", "final_ans": "8"}, "multiarith", "q", "8"),
        ("strategyqa.jsonl", STRATEGY, "strategyqa", "Can it?", "no"),
        ("commonsense_qa.jsonl", CSQA, "commonsense_qa", "Where?", "B"),
        ("mmlu.jsonl", MMLU, "mmlu", "What is it?", "B"),
        ("mmlu.jsonl", MMLU | {"answer": "C"}, "mmlu", "What is it?", "C"),
        ("mmlu.jsonl", MMLU | {"answer": "3"}, "mmlu", "What is it?", "D"),
    ],
)
def test_every_ready_task_is_read_from_its_own_layout_and_gold_passes_its_verifier(
    place, file, row, name, question, gold
):
    place(file, row)
    task = read(name)
    (problem,) = task.problems
    assert (problem.question, problem.gold) == (question, gold)
    assert task.options.verifier.build()(gold, gold).outcome == "correct"


def test_mmlu_has_options_subjects_and_tells_questions_apart_by_their_options(place):
    place("mmlu.jsonl", MMLU, MMLU | {"choices": ["w", "x", "y", "z"]}, MMLU | {"subject": "ethics", "answer": 0})
    task = read("mmlu")
    assert [(p.group, p.choices[0]) for p in task.problems] == [("law", "a tort"), ("law", "w")]
    assert len({p.id for p in task.problems}) == 2
    assert "A) a tort\nB) a crime" in task.asked(task.problems[0]).question
    assert task.is_general


def test_a_file_in_the_layout_of_mmlu_needs_no_entry(place, tmp_path):
    place("mine.jsonl", MMLU)
    task = own(tmp_path, "data/mine.jsonl")
    (problem,) = task.problems
    assert (problem.gold, problem.group, problem.choices[1]) == ("B", "law", "a crime")
    assert "B) a crime" in task.asked(problem).question
    assert task.options.verifier.kind == "choice"


def test_mgsm_asks_every_question_in_eleven_languages_under_one_number(place):
    mgsm(place)
    for name in ("mgsm_cot_native", "mgsm_direct"):
        task = read(name)
        assert tuple(dict.fromkeys(p.group for p in task.problems)) == LANGUAGES
        assert [p.id for p in task.problems if p.group == "de"] == ["de/1", "de/2"]
        assert {task.cluster(p) for p in task.problems} == {"1", "2"}
        asked = [task.asked(p).question for p in task.problems if task.cluster(p) == "1"]
        assert all(text.startswith(f"{language} 1?\n\n") for language, text in zip(LANGUAGES, asked, strict=True))
        assert len({text.partition("\n\n")[2] for text in asked}) == 11
    assert read("mgsm_cot_native").asked(task.problems[2]).question == (
        "de 1?\n\nDenke auf Deutsch, Schritt für Schritt. Schreibe die Zahl am Ende in \\boxed{}."
    )


def test_a_question_that_is_there_twice_keeps_the_numbers_of_its_translations(place):
    mgsm(place)
    place("mgsm_de.tsv", text="gleich?\t1\ngleich?\t1\n")
    assert [p.id for p in read("mgsm_direct").problems if p.group == "de"] == ["de/1", "de/2"]


def test_translations_must_be_as_many_in_every_language(place):
    mgsm(place)
    place("mgsm_de.tsv", text="eins?\t1\n")
    with pytest.raises(UserError, match=r"mgsm_direct: its sets are no translations .* bn 2, de 1, en 2"):
        read("mgsm_direct")


def test_every_missing_file_is_named_with_its_place(place):
    mgsm(place)
    for language in ("de", "sw"):
        (open_catalog([]).find(f"mgsm_{language}").files[0]).unlink()
    with pytest.raises(UserError) as missing:
        read("mgsm_cot_native")
    first, second = missing.value.lines()
    assert "no data for `mgsm_de`" in first and "put mgsm_de.tsv of https" in first and "data/mgsm_de.tsv" in first
    assert "no data for `mgsm_sw`" in second


def test_a_task_of_ones_own_has_examples_groups_and_a_verifier(place, tmp_path):
    place("shots.jsonl", {"question": "1 + 1?", "reasoning": "Two.", "answer": "2"}, {"question": "x", "answer": "y"})
    place("a.jsonl", {"question": "2 + 2?", "answer": "4", "topic": "sums"})
    place("b.jsonl", {"question": "2 * 3?", "answer": "6", "topic": "products"})
    register(
        tmp_path,
        a={"local_path": "data", "file_name": "a.jsonl", "formatting": "problems"},
        b={"local_path": "data", "file_name": "b.jsonl", "formatting": "problems"},
        shots={"local_path": "data", "file_name": "shots.jsonl", "formatting": "problems", "num_samples": 1},
        exam={"formatting": "task", "sets": ["a", "b"], "group": "topic", "verifier": "exact", "general": True}
        | {"prompt": "Calculate: {question}", "shots": 1, "shots_from": "shots"},
    )
    task = own(tmp_path, "exam")
    assert [(p.group, p.gold) for p in task.problems] == [("sums", "4"), ("products", "6")]
    assert task.asked(task.problems[0]).question == "Calculate: 2 + 2?"
    assert [shot.problem.question for shot in task.shots_for(task.problems[0])] == ["Calculate: 1 + 1?"]


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"formatting": "task"}, "a task needs `sets`"),
        ({"formatting": "task", "sets": "gsm8k", "verifier": "numreic"}, "did you mean `numeric`"),
        ({"formatting": "task", "sets": "gsm8k", "promt": "{question}"}, "did you mean `prompt`"),
        ({"formatting": "task", "sets": "mgsm_direct"}, "`mgsm_direct` is a task, no data set"),
        ({"formatting": "task", "sets": "gms8k"}, "`gms8k` is not registered"),
    ],
)
def test_a_faulty_task_names_file_line_and_key(place, tmp_path, entry, fault):
    register(tmp_path, exam=entry)
    with pytest.raises(UserError, match=fault) as refused:
        own(tmp_path, "exam")
    assert "dataset_info.json" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "hint"), [("gms8k", "gsm8k"), ("mgsm_cot_nativ", "mgsm_cot_native"), ("holdut", "holdout")]
)
def test_an_unknown_task_has_nearest_names(name, hint):
    with pytest.raises(UserError, match=f"the task `{name}` is not registered") as refused:
        read(name)
    assert refused.value.hint == f"did you mean `{hint}`?"


def test_a_task_is_no_data_set():
    with pytest.raises(UserError, match="`ifeval` is a task, no data set"):
        open_catalog([]).find("ifeval")
    assert (read("ifeval").harness, read("ifeval").problems) == ("ifeval", ())
