"""From a server that gives log-probabilities to a student that learned from them, by one command."""

import json
import re
from itertools import accumulate

import pytest
import yaml

from cotdistill.losses import IGNORED
from cotdistill.records import Conversation, Message
from cotdistill.training.prepare.token_bytes import TokenBytes
from cotdistill.training.prepare.tokens import Encoder, load_tokenizer
from tests.support.fault_server import DONE, FINISH, USAGE, FaultServer, event, kept_open
from tests.support.logprobs import said

PROBLEMS, K = 12, 3
LIKELY = 0.75
LARGER = ("larger", "larger_shown", "larger_zero_shot_only", "larger_zero_shot_only_shown", "larger_likelihood")
"""Arms of the recipe with the larger student."""
"""Probability of what the teacher says; the rest is shared by the two beside it."""
OPEN, CLOSE = "<think>\n", "\n</think>"


def first_number(prompt):
    """Return the number of the last question; worked examples may stand before it."""
    return int(re.findall(r"(\d+) \+ 7", prompt)[-1])


def rationale(prompt):
    number = first_number(prompt)
    return f"Seven more than {number} is {number + 7}."


def answer(prompt):
    return f"\n\nSo it is {first_number(prompt) + 7}."


def beside(token):
    """Return what the teacher might have said instead; `The` is no token of the student."""
    return [other for other in ("7", "The", "9") if other != token][:2]


def pieces(text, tokenizer):
    return [
        token.decode() for token in TokenBytes(tokenizer).of(tokenizer(text, add_special_tokens=False)["input_ids"])
    ]


def streamed(tokenizer, request):
    """A thought and an answer in the student's own tokens, each with its log-probabilities, a token a chunk."""
    chunks = []
    for token in pieces(f"{OPEN}{rationale(request.prompt)}{CLOSE}{answer(request.prompt)}", tokenizer):
        logprobs = {"content": [said(token, LIKELY, dict.fromkeys(beside(token), (1 - LIKELY) / 2))]}
        choice = {"index": 0, "delta": {"content": token}, "logprobs": logprobs, "finish_reason": None}
        chunks.append(event(id="c", model="r1", choices=[choice]))
    return (kept_open(b"".join([*chunks, FINISH, USAGE, DONE]), "text/event-stream"),)


def write_problems(folder):
    problems = [{"id": f"p{n}", "question": f"What is {n} + 7 ?", "gold": str(n + 7)} for n in range(PROBLEMS)]
    (folder / "p.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))


def write_recipe(folder, base_url, base, repository):
    write_problems(folder)
    train = {"cutoff_len": 300, "max_steps": 2, "logging_steps": 1, "per_device_train_batch_size": PROBLEMS // 2}
    train |= {"num_processes": 2, "deepspeed": str(repository / "examples/deepspeed/ds_z2_config.json")}
    sections = {
        "name": "r",
        "problems": {"dataset": "p.jsonl"},
        "teacher": {"kind": "endpoint", "base_url": base_url, "model": "r1"},
        "student": {"kind": "full", "model": str(base)},
        "sample": {"top_logprobs": K},
        "convert": {"format": "openai", "mixture": [{"style": "plain"}, {"style": "answer_only"}]},
        "train": train | {"loss": {"kind": "top_k_kl", "k": K}},
    }
    (folder / "r.yaml").write_text(yaml.safe_dump(sections, sort_keys=False))
    return folder / "r.yaml"


def is_said(tokens, prompt, tokenizer):
    """Return for each token of a row with its rationale whether the teacher said the same letters as one token."""
    whole, learned = f"{OPEN}{rationale(prompt)}{CLOSE}{answer(prompt)}", "".join(tokens)
    assert learned == rationale(prompt) + answer(prompt)
    teacher = pieces(whole, tokenizer)
    known = set(zip(accumulate(map(len, teacher), initial=0), teacher, strict=False))
    starts = accumulate(map(len, tokens), initial=0)
    by = {True: len(OPEN), False: len(OPEN) + len(CLOSE)}
    return [
        (start + by[start < len(rationale(prompt))], token) in known
        for start, token in zip(starts, tokens, strict=False)
    ]


def expected(conversations, base):
    """Return the mean loss of all rows at the untrained student, and how many tokens are compared and supervised."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer, model = load_tokenizer(str(base), template=None), AutoModelForCausalLM.from_pretrained(base)
    vocabulary, total, compared, supervised = TokenBytes(tokenizer), 0.0, 0, 0
    for number, line in enumerate(conversations):
        turns = tuple(Message(**message) for message in line["messages"])
        (row,) = Encoder(tokenizer).encode([Conversation(id=str(number), messages=turns)])
        places = [place for place, label in enumerate(row.labels) if label != IGNORED]
        tokens = [token.decode() for token in vocabulary.of([row.input_ids[place] for place in places])]
        has_rationale = turns[-1].content.startswith("Seven")
        fits = is_said(tokens, turns[0].content, tokenizer) if has_rationale else [False] * len(tokens)
        with torch.no_grad():
            scores = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
        for place, token, is_compared in zip(places, tokens, fits, strict=True):
            teacher = torch.zeros(scores.shape[-1])
            teacher[row.input_ids[place]] = LIKELY
            for other in beside(token) if is_compared and token else ():
                if (found := vocabulary.find(other.encode())) is not None:
                    teacher[found] = (1 - LIKELY) / 2
            teacher /= teacher.sum()
            total += torch.nn.functional.kl_div(scores[place - 1], teacher, reduction="sum").item()
            compared += bool(is_compared and token)
            supervised += 1
    return total / supervised, compared, supervised


@pytest.mark.slow
def test_what_a_server_recorded_is_learned_from_on_two_processes(cli, tmp_path, base, repository):
    tokenizer = load_tokenizer(str(base), template=None)
    assert TokenBytes(tokenizer).find(b"The") is None
    with FaultServer(answer=lambda request: streamed(tokenizer, request)) as server:
        path = write_recipe(tmp_path, server.base_url, base, repository)
        done = cli("run", path, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "r"
    loss, compared, supervised = expected(json.loads((run / "3-convert" / "openai.json").read_text()), base)
    counts = json.loads((run / "4-train" / "topk.json").read_text())
    assert (counts["compared_tokens"], counts["supervised_tokens"]) == (compared, supervised)
    assert 0 < counts["rows_with_any"] < counts["rows"] == PROBLEMS, "rows with the answer alone have none"
    first, *_ = (json.loads(line) for line in (run / "4-train" / "metrics.jsonl").read_text().splitlines())
    assert first["loss"] == pytest.approx(loss, rel=1e-4)
    assert f"of {supervised:,} supervised tokens" in (run / "4-train" / "README.md").read_text()


@pytest.mark.slow
def test_the_recipe_of_four_formats_runs_through_all_stages(cli, tmp_path, base, repository):
    write_problems(tmp_path)
    tokenizer = load_tokenizer(str(base), template=None)
    replaced = {
        "problems": "{dataset: p.jsonl, holdout: 3}",
        "teacher.prompt": repository / "configs/prompts/lets_think.txt",
        "sample.samples_per_problem": 2,
        "filter.duplicates": "keep",  # this teacher has one answer
        "student.model": base,
        "train.max_steps": 2,
        "train.num_processes": 2,
        "train.deepspeed": repository / "examples/deepspeed/ds_z2_config.json",
        "evaluate.max_tokens": 4,
        "evaluate.tasks": "[holdout]",
        **{f"arms.{arm}.student.model": base for arm in LARGER},
    }
    with FaultServer(answer=lambda request: streamed(tokenizer, request)) as server:
        given = [f"{key}={value}" for key, value in {**replaced, "teacher.base_url": server.base_url}.items()]
        recipe = repository / "examples/papers/four_formats.yaml"
        done = cli("run", recipe, *(word for text in given for word in ("--set", text)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "runs" / "four-formats"
    conversations = json.loads((run / "3-convert" / "sharegpt.json").read_text())
    assert {len(row["conversations"]) for row in conversations} == {2, 10}, "some rows show four worked examples"
    counts = json.loads((run / "4-train" / "topk.json").read_text())
    assert 0 < counts["compared_tokens"] < counts["supervised_tokens"]
    report = cli("report", run, "--json", cwd=tmp_path)
    names = ["mixture", "mixture_shown", "zero_shot_only", "zero_shot_only_shown", "likelihood", *LARGER, "baseline"]
    assert [arm["name"] for arm in json.loads(report.stdout)["arms"]] == names
