"""From a server that gives log-probabilities to a student that learned from them, by one command."""

import json

import pytest
import yaml

from cotdistill.records import Conversation, Message
from cotdistill.training.prepare.token_bytes import TokenBytes
from cotdistill.training.prepare.tokens import Encoder, load_tokenizer
from tests.support.fault_server import DONE, FINISH, USAGE, FaultServer, event, kept_open
from tests.support.logprobs import said
from tests.support.tiny_student import SIZES

PROBLEMS, K = 12, 3
LIKELY = 0.75
"""Probability of what the teacher says; the rest is shared by the candidates beside it."""


def answer_to(prompt):
    number = int(prompt.split()[2])
    return f"Seven more than {number} is {number + 7}. The answer is {number + 7}."


def candidates(token):
    """Return what the teacher might have said instead, with probabilities."""
    return {other: (1 - LIKELY) / 2 for other in ("7", "The", "\n", "9") if other != token}


def streamed(tokenizer, request):
    """An answer whose tokens are the student's, each with its log-probabilities, in chunks of one token."""
    vocabulary = TokenBytes(tokenizer)
    ids = tokenizer(answer_to(request.prompt), add_special_tokens=False)["input_ids"]
    chunks = []
    for token in (text.decode() for text in vocabulary.of(ids)):
        others = dict(list(candidates(token).items())[:2])
        choice = {"index": 0, "delta": {"content": token}, "logprobs": {"content": [said(token, LIKELY, others)]}}
        chunks.append(event(id="c", model="r1", choices=[{**choice, "finish_reason": None}]))
    return (kept_open(b"".join([*chunks, FINISH, USAGE, DONE]), "text/event-stream"),)


def recipe(folder, base_url, tokenizer_folder, repository):
    """Write the recipe, and return its file."""
    problems = [{"id": f"p{n}", "question": f"What is {n} + 7 ?", "gold": str(n + 7)} for n in range(PROBLEMS)]
    (folder / "p.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    train = {"cutoff_len": 300, "max_steps": 2, "logging_steps": 1, "per_device_train_batch_size": PROBLEMS // 2}
    train |= {"num_processes": 2, "deepspeed": str(repository / "examples/deepspeed/ds_z2_config.json")}
    sections = {
        "name": "r",
        "problems": {"dataset": "p.jsonl"},
        "teacher": {"kind": "endpoint", "base_url": base_url, "model": "r1"},
        "student": {"kind": "full", "model": str(tokenizer_folder), "init": "random", "config": dict(SIZES)},
        "sample": {"top_logprobs": K},
        "convert": {"format": "openai", "mixture": [{"style": "plain"}, {"style": "answer_only"}]},
        "train": train | {"loss": {"kind": "top_k_kl", "k": K}},
    }
    (folder / "r.yaml").write_text(yaml.safe_dump(sections, sort_keys=False))
    return folder / "r.yaml"


def loss_before_any_step(run, tokenizer_folder):
    """Return the mean loss of all rows at the untrained student, and how many tokens are compared and supervised."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(str(tokenizer_folder), template=None)
    model = AutoModelForCausalLM.from_pretrained(json.loads((run / "4-train" / "job.json").read_text())["base"])
    total, compared, supervised = 0.0, 0, 0
    for number, line in enumerate(json.loads((run / "3-convert" / "openai.json").read_text())):
        turns = tuple(Message(**message) for message in line["messages"])
        (row,) = Encoder(tokenizer).encode([Conversation(id=str(number), messages=turns)])
        is_whole = turns[-1].content == answer_to(turns[0].content)
        with torch.no_grad():
            scores = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
        for place in (n for n, label in enumerate(row.labels) if label != -100):
            supervised += 1
            said_id = row.input_ids[place]
            if not is_whole or place == len(row.input_ids) - 1:
                total -= scores[place - 1, said_id].item()
                continue
            compared += 1
            teacher = torch.zeros(scores.shape[-1])
            teacher[said_id] = LIKELY
            (token,) = TokenBytes(tokenizer).of([said_id])
            for other in list(candidates(token.decode()))[:2]:
                (other_id,) = tokenizer(other, add_special_tokens=False)["input_ids"] if len(other) == 1 else [None]
                if other_id is not None:
                    teacher[other_id] = (1 - LIKELY) / 2
            total += torch.nn.functional.kl_div(scores[place - 1], teacher / teacher.sum(), reduction="sum").item()
    return total / supervised, compared, supervised


@pytest.mark.slow
def test_what_a_server_recorded_is_learned_from_on_two_processes(cli, tmp_path, tokenizer_folder, repository):
    tokenizer = load_tokenizer(str(tokenizer_folder), template=None)
    assert TokenBytes(tokenizer).find(b"The") is None, "one of the candidates is no token of the student"
    with FaultServer(answer=lambda request: streamed(tokenizer, request)) as server:
        path = recipe(tmp_path, server.base_url, tokenizer_folder, repository)
        assert cli("check", path, cwd=tmp_path).returncode == 0
        done = cli("run", path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "r"
    expected, compared, supervised = loss_before_any_step(run, tokenizer_folder)
    counts = json.loads((run / "4-train" / "topk.json").read_text())
    assert (counts["compared_tokens"], counts["supervised_tokens"]) == (compared, supervised)
    assert 0 < counts["rows_with_any"] < counts["rows"] == PROBLEMS, "rows with the answer alone have none"
    first, *_ = (json.loads(line) for line in (run / "4-train" / "metrics.jsonl").read_text().splitlines())
    assert first["loss"] == pytest.approx(expected, rel=1e-3)
    assert f"of {supervised:,} supervised tokens" in (run / "4-train" / "README.md").read_text()
