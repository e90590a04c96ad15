"""Checkpoints of an earlier start: gone on from, or the difference is named."""

import json
import shutil

import pytest

from cotdistill.errors import UserError, WorkerFailed
from cotdistill.pipeline.pipeline import Pipeline, RunOptions
from cotdistill.recipe.recipe import read_recipe
from cotdistill.registry import kinds
from cotdistill.training.earlier import depends_on
from cotdistill.training.launch.launch import World
from cotdistill.training.options import TrainOptions
from cotdistill.training.prepare.tokenfile import FILES, write_rows
from cotdistill.training.prepare.tokens import Encoder
from tests.support.tiny_student import SIZES, sums
from tests.support.training import start_training

OPTIONS = {"max_steps": 4, "save_steps": 2, "learning_rate": 1e-2, "cutoff_len": 200, "num_processes": 1}


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory, base, student):
    """Train: `start(folder, sums(9), learning_rate=1e-3)`; and a folder with checkpoints of steps 2 and 4."""

    def start(folder, conversations, *, is_redone=False, **options):
        return start_training(folder, conversations, OPTIONS | options, base=base, student=student, is_redone=is_redone)

    folder = tmp_path_factory.mktemp("run")
    (folder / "4-train").mkdir()
    (folder / "4-train" / "checkpoint.partial").write_text("in the way of the final save")
    with pytest.raises(WorkerFailed):
        start(folder, sums(9))
    (folder / "4-train" / "checkpoint.partial").unlink()
    return start, folder


@pytest.fixture
def run(interrupted, tmp_path):
    """Start again in a copy of that folder: `run(sums(9), learning_rate=1e-3)`."""
    start, folder = interrupted
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return lambda *rows, **options: start(tmp_path, *rows, **options)


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (9, {"learning_rate": 2e-2}, r"train\.learning_rate changed: 0\.01 -> 0\.02 \(with the old values it goes on"),
        (
            9,
            {"num_processes": 2},
            r"world_size changed: 1 -> 2 \(with .* with `num_processes: 1`; `resume: weights` takes .* `--redo train` starts",
        ),
        (9, {"weight_decay": 0.1}, r"train\.weight_decay changed: null -> 0\.1 "),
        (8, {}, "the rows changed "),
    ],
)
@pytest.mark.slow
def test_a_start_that_differs_is_refused_with_the_difference_and_keeps_the_checkpoints(
    run, tmp_path, rows, options, said
):
    with pytest.raises(UserError, match=said) as refused:
        run(sums(rows), **options)
    assert refused.value.exit_code == 2
    assert not (tmp_path / "4-train" / "job.json").exists(), "a worker was given a job"
    assert len(list(tmp_path.glob("4-train/work/*/resume/checkpoint-*/COMPLETE.json"))) == 2


@pytest.mark.slow
def test_a_start_that_differs_in_nothing_that_counts_goes_on(run, tmp_path):
    with pytest.raises(UserError):
        run(sums(9), learning_rate=2e-2)
    result = run(sums(9), report_to="none", dataloader_num_workers=1, ddp_timeout=60, save_steps=3, logging_steps=1)
    assert "resume/checkpoint-4" in (tmp_path / "run.log").read_text()
    assert result.steps == 4


@pytest.mark.slow
def test_doing_it_again_on_purpose_keeps_the_checkpoints_beside(run, tmp_path):
    assert run(sums(9), learning_rate=2e-2, max_steps=1, is_redone=True).steps == 1
    assert len(list(tmp_path.glob("4-train/work.*/*/resume/checkpoint-*/COMPLETE.json"))) == 2
    assert not (tmp_path / "4-train" / "work").exists()


@pytest.mark.slow
def test_the_weights_alone_are_taken_on_purpose_with_optimiser_and_schedule_anew(run, tmp_path):
    from safetensors.torch import load_file

    (saved,) = tmp_path.glob("4-train/work/*/resume/checkpoint-4")
    weights = load_file(saved / "model.safetensors")
    result = run(sums(9), resume="weights", num_processes=2, learning_rate=1e-12, max_steps=1)
    assert result.steps == 1
    log = (tmp_path / "run.log").read_text()
    assert f"from step 0 with the weights of {saved}, optimiser and learning rate anew" in log
    for name, learned in load_file(result.checkpoint / "model.safetensors").items():
        assert (learned - weights[name]).abs().max() < 1e-9
    assert run(sums(9), resume="weights", num_processes=2, learning_rate=1e-12, max_steps=1) == result


def test_weights_of_no_checkpoint_are_refused(tmp_path, base, student):
    with pytest.raises(UserError, match=r"^train\.resume: there is no checkpoint with weights"):
        start_training(tmp_path, sums(9), OPTIONS | {"resume": "weights"}, base=base, student=student)


@pytest.fixture
def parts(tmp_path, base, tokenizer):
    """What a training depends on: `parts(deepspeed="a.json")`."""
    write_rows(Encoder(tokenizer).encode(sums(3)), tmp_path)

    def make(*, base=base, place=World(2), **options):
        student = kinds("students")["full"].options.model_validate({"kind": "full", "model": str(base)})
        return depends_on(
            TrainOptions.model_validate(options),
            student,
            base=str(base),
            seed=1,
            place=place,
            encoder=Encoder(tokenizer),
            rows=[tmp_path / name for name in FILES],
        )

    return make


def test_a_deepspeed_file_counts_by_what_it_says(parts, tmp_path):
    one, same, other = (tmp_path / name for name in ("one.json", "same.json", "other.json"))
    one.write_text(json.dumps({"zero_optimization": {"stage": 2}}))
    same.write_text(json.dumps({"zero_optimization": {"stage": 2}}, indent=4))
    other.write_text(json.dumps({"zero_optimization": {"stage": 3}}))
    assert parts(deepspeed=str(one)) == parts(deepspeed=str(same)) != parts(deepspeed=str(other))


def test_a_base_in_a_folder_counts_by_what_it_holds(parts, tmp_path, base):
    shutil.copytree(base, tmp_path / "moved")
    assert parts() == parts(base=tmp_path / "moved")
    (tmp_path / "moved" / "config.json").write_text("{}")
    assert parts() != parts(base=tmp_path / "moved")


def test_two_machines_with_one_process_each_are_one_with_two(parts):
    assert parts(place=World(1, nodes=2)) == parts(place=World(2)) != parts(place=World(4))


RECIPE = """\
name: t
seed: 7
student: {kind: full, model: %s, init: random, config: %s}
train: {dataset: general, max_steps: 4, save_steps: 2, num_processes: 1, output_dir: weights, cutoff_len: 200}
"""


@pytest.mark.slow
def test_in_a_run_a_changed_option_stops_beside_checkpoints_until_it_is_done_again(
    tmp_path, monkeypatch, tokenizer_folder
):
    monkeypatch.chdir(tmp_path)
    rows = [{"instruction": f"Say {n}", "output": str(n)} for n in range(9)]
    (tmp_path / "general.json").write_text(json.dumps(rows))
    entry = {"local_path": ".", "file_name": "general.json"}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"general": entry}))
    (tmp_path / "t.yaml").write_text(RECIPE % (tokenizer_folder, json.dumps(SIZES)))

    def run(*overrides, redo=None):
        return Pipeline(read_recipe(tmp_path / "t.yaml", overrides=overrides), RunOptions(redo=redo)).run()

    (tmp_path / "weights.partial").write_text("in the way of the final save")
    with pytest.raises(WorkerFailed):
        run()
    (tmp_path / "weights.partial").unlink()
    with pytest.raises(UserError, match=r"train\.learning_rate changed: 1e-05 -> 0\.01 .*--redo train"):
        run("train.learning_rate=0.01")
    done = run("train.learning_rate=0.01", redo="train")
    kept = list(done.folder.glob("*-train*/work*/*/resume/checkpoint-*/COMPLETE.json"))
    assert len(kept) == 2
