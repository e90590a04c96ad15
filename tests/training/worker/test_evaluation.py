"""The loss of rows that are not learned from, in a training inside the test's process."""

import json

import pytest

from cotdistill.training.prepare.tokenfile import TokenFile, write_rows
from cotdistill.training.prepare.tokens import Encoder
from tests.support.tiny_student import sums


@pytest.mark.parametrize("size", [1, 4])
def test_the_evaluation_is_the_mean_over_supervised_tokens_of_all_rows_and_changes_nothing(job, tokenizer, size):
    import torch
    from transformers import AutoModelForCausalLM

    from cotdistill.training.worker.worker import train
    from tests.support.weights import assert_same_weights

    asked = {"eval_strategy": "steps", "eval_steps": 2, "per_device_eval_batch_size": size, "eval_on_start": True}
    made, plain = job("a", max_steps=4, learning_rate=0.1, **asked), job("b", max_steps=4, learning_rate=0.1)
    made.evaluation.mkdir()
    write_rows(Encoder(tokenizer).encode(sums(23)[16:]), made.evaluation)
    train(made)
    train(plain)
    assert_same_weights(made.output, plain.output)
    metrics = [json.loads(line) for line in made.metrics.read_text().splitlines()]
    evaluated = [row for row in metrics if "eval_loss" in row]
    assert [row["step"] for row in evaluated] == [0, 2, 4]
    learned = [row["tokens"] for row in metrics if "tokens" in row]
    assert learned == [json.loads(line)["tokens"] for line in plain.metrics.read_text().splitlines()]

    rows = TokenFile(made.evaluation)
    for weights, found in ((made.base, evaluated[0]), (made.output, evaluated[-1])):
        model = AutoModelForCausalLM.from_pretrained(weights)
        total, count = 0.0, 0
        with torch.no_grad():
            for row in (rows[number] for number in range(len(rows))):
                scores = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
                for place in range(len(row.input_ids) - row.supervised_tokens, len(row.input_ids)):
                    total -= scores[place - 1, row.input_ids[place]].item()
                    count += 1
        assert found["eval_tokens"] == count
        assert found["eval_loss"] == pytest.approx(total / count, rel=1e-5)
