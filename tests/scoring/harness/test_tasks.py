"""Names of lm-eval become explicit lists of its tasks."""

import pytest

from cotdistill.data import open_catalog
from cotdistill.errors import UserError
from cotdistill.scoring.harness.local_data import open_exam
from cotdistill.scoring.harness.options import HarnessOptions
from cotdistill.scoring.harness.tasks import find_task
from tests.support.harness import LANGUAGES, write_registry

pytest.importorskip("lm_eval")


@pytest.mark.parametrize(("name", "prefix"), [("mgsm_direct", "mgsm_direct"), ("mgsm_cot_native", "mgsm_native_cot")])
def test_the_tags_of_mgsm_are_eleven_tasks_in_the_questions_own_language(name, prefix):
    task = find_task(name)
    assert [subtask.name for subtask in task.subtasks] == [f"{prefix}_{language}" for language in LANGUAGES]
    assert [subtask.group for subtask in task.subtasks] == list(LANGUAGES)
    assert task.rule == "unweighted mean over 11 tasks"


def test_mmlu_is_its_57_subjects_weighted_by_size():
    task = find_task("mmlu")
    assert len(task.subtasks) == 57 and task.rule == "mean weighted by size over 57 tasks"
    assert task.subtasks[0].name == "mmlu_abstract_algebra" and task.subtasks[0].group == "abstract_algebra"
    assert task.subtasks[0].config["dataset_path"] == "cais/mmlu"


def test_a_single_task_has_all_that_its_file_includes():
    (subtask,) = find_task("mgsm_direct_de").subtasks
    assert (subtask.config["dataset_name"], subtask.config["test_split"]) == ("de", "test")


def test_a_file_in_lm_evals_layout_is_a_task(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("task: mine\ndataset_path: json\ntest_split: test\n")
    assert find_task(str(path)).name == "mine"
    path.write_text("dataset_path: json\n")
    with pytest.raises(UserError, match="names no `task`"):
        find_task(str(path))


def test_a_filter_that_no_task_has_is_named_with_the_nearest(tmp_path):
    write_registry(tmp_path)
    with pytest.raises(UserError, match=r"evaluate.harness.filter: no task has the filter `strict` .*`strict-match`"):
        open_exam(["gsm8k"], open_catalog([tmp_path]), HarnessOptions(filter="strict"))


@pytest.mark.slow
def test_every_other_name_is_looked_up_in_lm_evals_own_index():
    stem = find_task("mmlu_stem")
    assert len(stem.subtasks) == 19 and stem.is_weighted
    assert find_task("gsm8k_platinum").subtasks[0].config["dataset_path"] == "madrylab/gsm8k-platinum"
    with pytest.raises(UserError, match=r"no task `mgsm_dierct` \(did you mean `mgsm_direct`\?\)"):
        find_task("mgsm_dierct")
