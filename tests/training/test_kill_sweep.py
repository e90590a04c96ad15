"""A training that is killed or told to stop, at any moment, ends with the weights that it would have had anyway."""

import json
import os
import random
import re
import shutil
import signal
import time
from collections.abc import Callable

import pytest

from tests.support.patience import HANGS_S, wait_for
from tests.support.sweep import cases, whole
from tests.support.training_process import SAVED_EACH, TORCHRUN, WORKER, TrainingProcess

KILLS = cases(20, smallest=4)
STEPS = cases(800, smallest=200)
VICTIMS = ("command", "torchrun", "rank 0", "rank 1")
MOMENTS = ("in a step", "in a save", "at the start", "in the final save")


@pytest.fixture(scope="module")
def straight(tmp_path_factory, tokenizer_folder, base):
    """A training that nothing disturbed."""
    training = TrainingProcess(tokenizer_folder, base, tmp_path_factory.mktemp("straight"), STEPS)
    assert training.start().wait(HANGS_S) == 0
    return training


@pytest.fixture
def disturbed(tmp_path, tokenizer_folder, base):
    return TrainingProcess(tokenizer_folder, base, tmp_path / "disturbed", STEPS)


def check_same(training: TrainingProcess, other: TrainingProcess) -> None:
    """The weights are equal to the last bit, and so is what was learned from at every logged step."""
    from safetensors.torch import load_file

    one, two = (load_file(t.stage / "checkpoint/model.safetensors") for t in (training, other))
    assert [name for name in one if not one[name].equal(two[name])] == []
    assert logged(training) == logged(other)
    assert [step for step, _ in logged(training)] == list(range(SAVED_EACH, STEPS + 1, SAVED_EACH))


def logged(training: TrainingProcess) -> list[tuple[int, int]]:
    """Return step and tokens of the regular rows of the metrics; each checkpoint has one too."""
    rows = [json.loads(line) for line in (training.stage / "metrics.jsonl").read_text().splitlines()]
    return [(row["step"], row["tokens"]) for row in rows if row["step"] % SAVED_EACH == 0]


def has_come(training: TrainingProcess, moment: str) -> Callable[[], bool]:
    """Return what says whether the moment has come; from the training as it is before a start."""
    before, saved = training.step, {path.name for path in checkpoints(training)}
    return {
        "at the start": lambda: True,
        "in a step": lambda: training.step > before,
        "in a save": lambda: any(path.name not in saved for path in checkpoints(training)),
        "in the final save": (training.stage / "checkpoint.partial").exists,
    }[moment]


def checkpoints(training: TrainingProcess):
    return training.stage.glob("work/*/resume/checkpoint-*")


def kill(training: TrainingProcess, process, victim: str) -> None:
    """Kill -9 one of the training's processes; wherever there is none yet, the command."""
    ranks, torchrun = training.processes(WORKER), training.processes(TORCHRUN)
    found = {"command": process.pid, "torchrun": torchrun.get(0), "rank 0": ranks.get(0), "rank 1": ranks.get(1)}
    os.kill(found[victim] or process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(straight, disturbed):
    draw = random.Random(11)
    final = max(1, KILLS // 5)
    moments = [MOMENTS[number % 3] for number in range(KILLS - final)]
    draw.shuffle(moments)
    for number, moment in enumerate([*moments, *["in the final save"] * final]):
        has_moment_come = has_come(disturbed, moment)
        process = disturbed.start()
        wait_for(has_moment_come, process)
        if moment in ("at the start", "in a step"):
            time.sleep(draw.uniform(0, 6 if moment == "at the start" else 0.2))
        assert process.poll() is None, "it ended before it could be killed: more steps are needed"
        kill(disturbed, process, VICTIMS[number % len(VICTIMS)])
        assert process.wait(HANGS_S) in (-signal.SIGKILL, 128 + signal.SIGKILL)
        disturbed.check_workers_end()
        if moment == "in the final save":  # rank 0 may be through before it learns of the others' end: once more
            shutil.rmtree(disturbed.stage / "checkpoint", ignore_errors=True)
        assert not (disturbed.stage / "checkpoint").exists(), "workers outlive the process that started them"
    assert disturbed.start().wait(HANGS_S) == 0
    assert sorted(disturbed.resumed_at) == disturbed.resumed_at, "no start falls behind an earlier one"
    assert disturbed.resumed_at[-1] == STEPS, "the final save alone is done again"
    check_same(disturbed, straight)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "is_for_all"),
    [whole(signal.SIGINT, 130, False), whole(signal.SIGTERM, 143, False), (signal.SIGTERM, 143, True)],
)
def test_signals_cost_one_step_at_most(straight, disturbed, number, code, is_for_all):
    """Slurm sends its signal to every process of a job at once: command, torchrun and ranks."""
    draw = random.Random(number)
    moments = ["in a step", "in a save", "in a step", "at the start", "in a step"][: cases(5, smallest=2)]
    for moment in moments:
        has_moment_come = has_come(disturbed, moment)
        process = disturbed.start()
        wait_for(lambda: disturbed.processes(TORCHRUN), process)
        wait_for(has_moment_come, process)
        time.sleep(draw.uniform(0, 0.2))
        told = disturbed.step
        more = (*disturbed.processes(TORCHRUN).values(), *disturbed.processes(WORKER).values())
        for pid in (process.pid, *(more if is_for_all else ())):
            os.kill(pid, number)
        assert process.wait(HANGS_S) in (code, -number)  # a shell gives the second as the first
        disturbed.check_workers_end()
        if moment != "at the start":
            saved = int(re.findall(r"stopped and saved after step (\d+)", disturbed.log)[-1])
            assert saved >= told
            assert disturbed.is_saved(saved)
    assert disturbed.start().wait(HANGS_S) == 0
    check_same(disturbed, straight)
