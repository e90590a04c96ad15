"""Log-probabilities as a server gives them and as `sample` records them."""

import json
import math


def said(token, probability, others=()):
    """One token of an answer, in the words of the OpenAI protocol; `others` maps texts to probabilities."""
    entry = {"token": token, "bytes": list(token.encode()), "logprob": math.log(probability)}
    top = [{"token": other, "bytes": list(other.encode()), "logprob": math.log(p)} for other, p in dict(others).items()]
    return {**entry, "top_logprobs": [entry, *top]}


def write_logprobs(path, answers):
    """Write a logprobs.jsonl: `answers` maps trace ids to lists of `said`."""
    with path.open("w") as file:
        for trace_id, tokens in answers.items():
            problem_id, _, index = trace_id.rpartition("/")
            row = {"problem_id": problem_id, "key": "9f", "index": int(index), "content": tokens}
            file.write(json.dumps(row) + "\n")
    return path
