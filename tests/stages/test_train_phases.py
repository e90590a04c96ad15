"""A training in phases: each from the weights of the one before, and none of them is done twice."""

import json
from contextlib import contextmanager

import pytest

from cotdistill.data import open_catalog
from cotdistill.errors import Interrupted
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.pipeline.step_keys import recipe_part
from cotdistill.pipeline.training_data import training_rows
from cotdistill.recipe.plan import make_plan
from cotdistill.recipe.recipe import read_recipe

RECIPE = """\
name: t
student: {kind: demo, base_steps: 0}
train:
  max_steps: 4
  learning_rate: 0.001
  logging_steps: 1
  save_steps: 1
  num_processes: 1
  phases: %s
"""
TWO = "[{dataset: broad}, {dataset: domain, max_steps: 60, weight_decay: 0.1}]"
"""The second one, which saves at each step, is long enough to be stopped on any machine."""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a recipe on two registered sets: `write(phases)`."""
    monkeypatch.chdir(tmp_path)
    for name, rows in (("broad", 12), ("domain", 5)):
        made = [{"instruction": f"Ann has {n} apples .", "output": f"{n} apples"} for n in range(rows)]
        (tmp_path / f"{name}.json").write_text(json.dumps(made))
    entries = {name: {"local_path": ".", "file_name": f"{name}.json"} for name in ("broad", "domain")}
    (tmp_path / "dataset_info.json").write_text(json.dumps(entries))

    def make(phases=TWO):
        (tmp_path / "t.yaml").write_text(RECIPE % phases)
        return tmp_path / "t.yaml"

    return make


def test_each_phase_has_its_rows_and_the_options_that_it_changes(write, tmp_path):
    (step,) = make_plan(read_recipe(write()), recipe_part).arms["t"]
    first, second = step.options.in_phases()
    assert (first.max_steps, second.max_steps) == (4, 60)
    assert (first.learning_rate, second.learning_rate) == (0.001, 0.001)
    assert second.trainer_arguments()["weight_decay"] == 0.1
    assert "weight_decay" not in first.trainer_arguments()
    rows = training_rows(step, open_catalog([tmp_path]), tmp_path)
    assert [len(list(rows.in_phase(phase, tmp_path))) for phase in (first, second)] == [12, 5]


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ("[{dataset: broad}, {dataset: domain, output_dir: x}]", "phase 2 sets `output_dir`"),
        ("[{phases: [{dataset: broad}]}]", "phase 1 sets `phases`"),
        ("[{dataset: broad}, {max_steps: 3}]", "`train` has nothing to read"),
        ("[{dataset: broad}, {dataset: domian}]", "data set `domian` is not registered"),
        ("[{dataset: broad, learning_rat: 1}]", "learning_rate"),
        ("[{dataset: broad}, {dataset: domain, student: {kind: qlora}}]", "a phase's student has no kind `qlora`"),
        ("[{dataset: broad}, {dataset: domain, cutoff_len: many}]", "train.phases.1.cutoff_len"),
    ],
)
def test_what_a_phase_cannot_be_is_said_by_check(write, call, phases, message):
    write(phases)
    code, _, err = call("check", "t.yaml")
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_a_student_of_a_phase_stands_in_a_phase(write, call, tmp_path):
    recipe = write()
    recipe.write_text(recipe.read_text() + "  student: {kind: lora}\n")
    code, _, err = call("check", "t.yaml")
    assert (code, len(err.strip().splitlines())) == (2, 1)
    assert "train.student: is of a phase alone" in err


@pytest.mark.slow
def test_an_adapter_goes_on_from_all_weights(write, tmp_path):
    from tests.support.weights import read_weights

    write("[{dataset: broad}, {dataset: domain, max_steps: 2, student: {kind: lora, lora_rank: 2}}]")
    Pipeline(read_recipe(tmp_path / "t.yaml"), RunOptions()).run()
    stage = tmp_path / "runs/t/4-train"
    first, last = (read_weights(folder) for folder in (stage / "phase-1/checkpoint", stage / "checkpoint"))
    changed = {name for name, weight in last.items() if not weight.equal(first[name])}
    assert changed and all("_proj" in name for name in changed), changed
    assert not (stage / "phase-1/checkpoint/adapter").exists() and (stage / "checkpoint/adapter").is_dir()
    assert json.loads((stage / "job.json").read_text())["student"]["kind"] == "lora"


@pytest.mark.slow
def test_a_stop_in_the_second_phase_repeats_nothing_of_the_first_on_two_processes(write, tmp_path, repository):
    zero_2 = repository / "examples/deepspeed/ds_z2_config.json"
    options = f"num_processes: 2\n  deepspeed: {zero_2}"
    (tmp_path / "t.yaml").write_text(write().read_text().replace("num_processes: 1", options))

    @contextmanager
    def stop_in_the_second(title, *, total, unit):
        def advance(done=1, /, *, total=None, note=None):
            if "phase 2" in title and done:
                raise Interrupted("stopped here")

        yield advance

    with pytest.raises(Interrupted):
        Pipeline(read_recipe(tmp_path / "t.yaml"), RunOptions(progress=stop_in_the_second)).run()
    stage = tmp_path / "runs/t/4-train"
    first = (stage / "phase-1/checkpoint/model.safetensors").read_bytes()
    Pipeline(read_recipe(tmp_path / "t.yaml"), RunOptions()).run()
    log = (tmp_path / "runs/t/run.log").read_text()
    assert log.count("training on 12 rows") == 1
    assert log.count("training on 5 rows") == 2
    assert (stage / "phase-1/checkpoint/model.safetensors").read_bytes() == first
    assert (stage / "checkpoint/model.safetensors").read_bytes() != first
    metrics = [json.loads(line)["step"] for line in (stage / "metrics.jsonl").read_text().splitlines()]
    assert metrics == list(range(1, 61))
    job = json.loads((stage / "job.json").read_text())
    assert job["base"].endswith("phase-1/checkpoint")
    assert json.loads((stage / "checkpoint.jsonl").read_text())["steps"] == 64
