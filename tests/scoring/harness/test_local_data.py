"""Files of the registry stand for hubs' sets: which ones, in which shape, and what is said where one is missing."""

import pytest

from cotdistill.data import hub, open_catalog
from cotdistill.errors import UserError
from cotdistill.scoring.harness.local_data import serve
from cotdistill.scoring.harness.options import HarnessOptions
from cotdistill.scoring.harness.tasks import HarnessTask, Subtask
from tests.support.harness import SUBJECTS, write_registry, write_rows

GSM8K = {
    "task": "gsm8k",
    "dataset_path": "openai/gsm8k",
    "dataset_name": "main",
    "training_split": "train",
    "fewshot_split": "train",
    "test_split": "test",
    "doc_to_text": "Question: {{question}}",
    "num_fewshot": 5,
}
MGSM = {"dataset_path": "juletxara/mgsm", "training_split": "train", "test_split": "test"}
MMLU = {"dataset_path": "cais/mmlu", "fewshot_split": "dev", "test_split": "test"}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with a registry and its files, and no network."""
    write_registry(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr("cotdistill.scoring.harness.local_data.is_reachable", lambda place: False)
    return tmp_path


def served(place, *configs, name="exam", **options):
    subtasks = tuple(Subtask(c["task"], str(c.get("dataset_name") or ""), c) for c in configs)
    task = HarnessTask(name, subtasks, is_weighted=False)
    return serve([task], open_catalog([place]), HarnessOptions(**options))


def rows(exam, number=0):
    return exam.tasks[0].subtasks[number].config["custom_dataset"](some="metadata")


def test_a_task_gets_its_splits_from_files_and_keeps_its_prompt(place):
    exam = served(place, GSM8K)
    splits = rows(exam)
    assert (len(splits["train"]), len(splits["test"])) == (8, 10)
    assert splits["test"][1]["answer"].endswith("#### 72")
    kept = {key: value for key, value in exam.tasks[0].subtasks[0].config.items() if key != "custom_dataset"}
    assert kept == GSM8K
    assert [problem.question for problem in exam["exam"].problems] == splits["test"]["question"]


def test_rows_of_a_tsv_are_those_of_the_hubs_loading_script(place):
    exam = served(place, {**MGSM, "task": "mgsm_direct_de", "dataset_name": "de"})
    expected = {"question": "de 2: 70 + 2?", "answer": None, "answer_number": 2, "equation_solution": None}
    assert rows(exam)["test"][1] == expected
    # No file shows examples, and none are asked for.
    assert exam.tasks[0].subtasks[0].config["training_split"] is None


def test_one_file_serves_the_subjects_that_it_holds(place, caplog):
    configs = [{**MMLU, "task": f"mmlu_{s}", "dataset_name": s} for s in ("anatomy", "virology", "astronomy")]
    exam = served(place, *configs)
    assert [subtask.group for subtask in exam.tasks[0].subtasks] == list(SUBJECTS)
    assert len(rows(exam, 1)["test"]) == SUBJECTS["astronomy"]
    assert "exam: its file has rows of 2 of 3 tasks" in caplog.text


def test_choices_in_columns_and_letters_are_read_too(place):
    write_rows(
        place / "data" / "mmlu.jsonl",
        [{"question": "Which?", "subject": "anatomy", "A": "ant", "B": "bee", "C": "cat", "D": 4, "answer": "C"}],
    )
    (row,) = rows(served(place, {**MMLU, "task": "mmlu_anatomy", "dataset_name": "anatomy"}))["test"]
    assert (row["choices"], row["answer"]) == (["ant", "bee", "cat", "4"], 2)


def test_examples_that_are_to_be_shown_and_are_missing_are_named_with_their_place(place):
    (place / "data" / "gsm8k.jsonl").unlink()
    with pytest.raises(UserError, match=r"`gsm8k` shows 5 worked examples of the split `train`.*data/gsm8k\.") as fault:
        served(place, GSM8K)
    assert "num_fewshot: 0" in fault.value.lines()[0]
    exam = served(place, GSM8K, num_fewshot=0)
    assert exam.tasks[0].subtasks[0].config["fewshot_split"] is None


def test_without_file_and_network_each_missing_file_is_named(place):
    (place / "data" / "gsm8k_test.jsonl").unlink()
    (place / "data" / "mgsm_th.tsv").unlink()
    with pytest.raises(UserError) as faults:
        served(place, GSM8K, *({**MGSM, "task": f"m_{s}", "dataset_name": s} for s in ("th", "de")))
    first, second = faults.value.lines()
    assert "`gsm8k` has no file here, and no hub can be reached" in first and "data/gsm8k_test." in first
    assert "`m_th` has no file here" in second and "data/mgsm_th.tsv" in second


def test_without_file_the_hub_is_left_to_lm_eval(place, monkeypatch):
    (place / "data" / "gsm8k_test.jsonl").unlink()
    monkeypatch.setattr("cotdistill.scoring.harness.local_data.is_reachable", hub.is_reachable)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    exam = served(place, GSM8K)
    assert exam.tasks[0].subtasks[0].config == GSM8K
    assert exam["exam"].problems == ()
