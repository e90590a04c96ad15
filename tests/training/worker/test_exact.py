"""Training is plain AdamW: the same loss and weights after 4 steps, to 1e-5 in float32, however the work is shared."""

import itertools
import json
import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from cotdistill import registry
from cotdistill.training.launch.launch import free_port
from cotdistill.training.prepare.tokenfile import TokenFile
from tests.support.patience import HANGS_S
from tests.support.sweep import IS_WHOLE
from tests.support.tiny_student import SIZES
from tests.support.weights import read_weights

STEPS = 4
TOLERANCE = 1e-5
SETTINGS = {
    "optim": "adamw_torch",
    "learning_rate": 1e-3,
    "weight_decay": 0.1,
    "max_grad_norm": 1.0,
    "max_steps": STEPS,
}
ROWS = 12
"""All are in each step, whatever their order."""
DEEPSPEED = {
    "none": {},
    "ZeRO-2": {"deepspeed": "examples/deepspeed/ds_z2_config.json"},
    "ZeRO-3": {"deepspeed": "examples/deepspeed/ds_z3_config.json"},
}
LAYOUTS = {"end to end": {}, "packed": {"bin_tokens": 200}} | ({"padded": {"flash_attn": "sdpa"}} if IS_WHOLE else {})
"""How the rows of a micro-step lie in memory -> fields of the job."""
HEADS = {"tied": True, "untied": False}


class Learned(NamedTuple):
    """What a training leaves."""

    losses: list
    """One a step."""
    weights: dict
    tokens: int


@pytest.fixture(scope="module")
def bases(tmp_path_factory, tokenizer_folder):
    """Folders of untrained students."""
    folder = tmp_path_factory.mktemp("bases")
    return {
        head: registry.make(
            "students", "full", model=str(tokenizer_folder), init="random", config=SIZES | {"tie_word_embeddings": tied}
        ).base(folder, seed=1)
        for head, tied in HEADS.items()
    }


@pytest.fixture
def exact_job(job, bases):
    """A job in which each step sees every row: `exact_job(head, processes=2, accumulation=3, deepspeed="ZeRO-3")`."""

    def make(head, *, processes=1, accumulation=1, deepspeed="none", layout="end to end", **more):
        batch = ROWS // processes // accumulation
        arguments = SETTINGS | DEEPSPEED[deepspeed] | more
        arguments |= {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulation}
        name = "-".join(map(str, [head, processes, accumulation, deepspeed, layout, *more]))
        return job(name, **arguments).model_copy(update={"base": bases[head], **LAYOUTS[layout]})

    return make


def _plain_adamw(job) -> Learned:
    """Train as the reference does, written out: logits of every place of every row, one mean, one optimiser."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(job.base)
    decayed = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() <= 1]
    groups = [{"params": decayed, "weight_decay": SETTINGS["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=SETTINGS["learning_rate"])
    tokens = TokenFile(job.tokens)
    rows = [tokens[number] for number in range(len(tokens))]
    supervised = sum(row.supervised_tokens for row in rows)
    losses = []
    for _ in range(STEPS):
        summed = [
            torch.nn.functional.cross_entropy(
                model(torch.tensor([row.input_ids])).logits[0, :-1],
                torch.tensor(row.labels[1:]),
                reduction="sum",
            )
            for row in rows
        ]
        loss = sum(summed) / supervised
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["max_grad_norm"])
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return Learned(losses, model.state_dict(), STEPS * supervised)


def _read(job) -> Learned:
    metrics = [json.loads(line) for line in job.metrics.read_text().splitlines()]
    return Learned([row["loss"] for row in metrics], read_weights(job.output), metrics[-1]["tokens"])


def _difference(found: Learned, expected: Learned) -> float:
    """Return the largest difference of a loss or a weight."""
    assert len(found.losses) == STEPS
    assert found.tokens == expected.tokens
    # The embeddings that are the head too may be saved under both names, or under their own.
    assert {*found.weights, "lm_head.weight"} == {*expected.weights}
    of_weights = [(weight - expected.weights[name]).abs().max().item() for name, weight in found.weights.items()]
    return max(*of_weights, *(abs(one - other) for one, other in zip(found.losses, expected.losses, strict=True)))


@pytest.mark.parametrize(
    ("head", "accumulation", "layout", "more"),
    [
        pytest.param("tied", 3, "end to end", {}, id="tied"),
        pytest.param("untied", 1, "packed", {}, id="untied, packed"),
        pytest.param(
            "tied", 1, "end to end", {"gradient_checkpointing": True}, id="checkpointing", marks=pytest.mark.slow
        ),
    ],
)
def test_one_process_learns_what_plain_adamw_learns(exact_job, head, accumulation, layout, more):
    from cotdistill.training.worker.worker import train

    made = exact_job(head, accumulation=accumulation, layout=layout, **more)
    train(made)
    assert _difference(_read(made), _plain_adamw(made)) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_every_way_to_share_the_work_learns_what_plain_adamw_learns(exact_job, tmp_path, repository, processes):
    """One start of the processes trains them all: accumulation x DeepSpeed x layout x head."""
    jobs = {
        (head, accumulation, deepspeed, layout): exact_job(
            head, processes=processes, accumulation=accumulation, deepspeed=deepspeed, layout=layout
        )
        for deepspeed, layout, accumulation, head in itertools.product(DEEPSPEED, LAYOUTS, (1, 3), HEADS)
    }
    paths = []
    for number, made in enumerate(jobs.values()):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(made.model_dump_json())
    torchrun = ["torch.distributed.run", f"--nproc_per_node={processes}", f"--master_port={free_port()}", "-m"]
    module = [*(torchrun if processes > 1 else []), "tests.support.trainings_in_turn"]
    done = subprocess.run(
        [sys.executable, "-m", *module, *map(str, paths)],
        cwd=repository,
        env=os.environ | {"OMP_NUM_THREADS": "1", "GOMP_SPINCOUNT": "1000"},
        capture_output=True,
        text=True,
        timeout=HANGS_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    expected = {head: _plain_adamw(jobs[head, 1, "none", "end to end"]) for head in HEADS}
    differences = {variant: _difference(_read(made), expected[variant[0]]) for variant, made in jobs.items()}
    assert {variant: off for variant, off in differences.items() if off >= TOLERANCE} == {}
