"""A model on this machine, asked in batches."""

import asyncio
import json

import pytest

from cotdistill import registry
from cotdistill.client.concurrency import SendGate
from cotdistill.errors import UserError
from cotdistill.records import Message, Problem, Sampling
from cotdistill.samplers import Request, Unanswered
from tests.support.tiny_student import SIZES, make_tokenizer


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A model of large, untied random weights: it babbles, and otherwise for every prompt."""
    tokenizer = make_tokenizer(tmp_path_factory.mktemp("tokenizer"))
    config = SIZES | {"tie_word_embeddings": False, "initializer_range": 0.7}
    model = registry.make("students", "full", model=str(tokenizer), init="random", config=config)
    return model.base(tmp_path_factory.mktemp("base"), seed=1)


def _requests(count: int, index: int = 0, **sampling) -> list[Request]:
    found = []
    for n in range(count):
        problem = Problem(id=str(n), question=f"What is {n} + 7?" + " Think." * (n % 5))
        messages = (Message(role="user", content=problem.question),)
        found.append(Request(problem, messages, Sampling(**{"max_tokens": 12} | sampling), index))
    return found


def _ask(model: str, requests: list[Request], **options) -> list[dict]:
    """Ask all at once and return the responses."""

    async def ask():
        async with registry.make("samplers", "local", model=model, **options).session(SendGate()) as draw:
            replies = await asyncio.gather(*map(draw, requests))
            return [reply.response for reply in replies]

    return asyncio.run(ask())


def _texts(responses: list[dict]) -> list[str]:
    return [response["choices"][0]["message"]["content"] for response in responses]


def test_a_response_has_the_shape_of_an_openai_chat_completion(base):
    (response,) = _ask(base, _requests(1))
    (choice,) = response["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["finish_reason"] == "length"
    assert response["usage"]["completion_tokens"] == 12
    assert response["usage"]["prompt_tokens"] > 12
    json.dumps(response)


@pytest.mark.parametrize("beams", [None, 3])
def test_searched_answers_are_those_of_generate_one_by_one(base, beams):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    requests = _requests(11, num_beams=beams)
    expected = []
    for request in requests:
        prompt = tokenizer.apply_chat_template(
            [m.model_dump() for m in request.messages],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )
        found = model.generate(**prompt, max_new_tokens=12, do_sample=False, num_beams=beams or 1)
        output = found[0, prompt["input_ids"].shape[1] :]
        expected.append(tokenizer.decode(output, skip_special_tokens=True))
    assert len(set(expected)) > 3
    assert _texts(_ask(base, requests, batch_size=4)) == expected
    assert (_texts(_ask(base, _requests(11))) == expected) is (beams is None)


def test_drawn_answers_depend_on_seed_and_index_and_not_on_the_batch(base):
    drawn = {"temperature": 1.0, "seed": 3}
    together = _texts(_ask(base, _requests(6, **drawn), batch_size=6))
    assert _texts(_ask(base, _requests(6, **drawn), batch_size=1)) == together
    assert len({*together}) == 6
    assert not {*together} & {*_texts(_ask(base, _requests(6, index=1, **drawn)))}
    assert not {*together} & {*_texts(_ask(base, _requests(6, **drawn | {"seed": 4})))}


def test_temperature_and_top_p_shape_what_is_drawn(base):
    greedy = _texts(_ask(base, _requests(6)))
    assert _texts(_ask(base, _requests(6, temperature=1e-4))) == greedy
    assert _texts(_ask(base, _requests(6, temperature=1.0, top_p=1e-6))) == greedy
    assert _texts(_ask(base, _requests(6, temperature=1.0))) != greedy


def test_requests_of_different_samplings_can_wait_together(base):
    requests = [*_requests(3), *_requests(3, max_tokens=5)]
    assert [r["usage"]["completion_tokens"] for r in _ask(base, requests)] == [12] * 3 + [5] * 3


def test_an_answer_ends_before_the_token_that_says_so(base, tmp_path):
    """The first greedy token is declared an end: the same weights then say nothing, and stop."""
    import shutil

    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    first = tokenizer.encode(_texts(_ask(base, _requests(1, max_tokens=1)))[0], add_special_tokens=False)[0]
    folder = tmp_path / "stops"
    shutil.copytree(base, folder)
    config = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(config | {"eos_token_id": [2, first]}))
    (response,) = _ask(str(folder), _requests(1))
    assert response["choices"][0]["finish_reason"] == "stop"
    assert response["choices"][0]["message"]["content"] == ""
    assert response["usage"]["completion_tokens"] == 1


def test_a_checkpoints_own_sampling_settings_are_not_used(base, tmp_path):
    import shutil

    folder = tmp_path / "warm"
    shutil.copytree(base, folder)
    config = json.loads((folder / "generation_config.json").read_text())
    warm = {"do_sample": True, "temperature": 2.0, "repetition_penalty": 3.0}
    (folder / "generation_config.json").write_text(json.dumps(config | warm))
    assert _texts(_ask(str(folder), _requests(4))) == _texts(_ask(base, _requests(4)))


def test_a_prompt_that_fills_the_context_is_unanswered_and_the_others_are_not(base):
    long = Request(Problem(id="x", question="x"), (Message(role="user", content="12 " * 4200),), Sampling(), 0)

    async def ask():
        async with registry.make("samplers", "local", model=base).session(SendGate()) as draw:
            return await asyncio.gather(draw(long), draw(_requests(1)[0]), return_exceptions=True)

    lost, answered = asyncio.run(ask())
    assert isinstance(lost, Unanswered)
    assert "the model's context of 4096" in str(lost)
    assert answered.response["choices"]


def test_a_model_that_cannot_be_loaded_is_the_users_fault(tmp_path):
    with pytest.raises(UserError, match="cannot be loaded"):
        _ask(str(tmp_path), _requests(1))


def test_the_messages_are_the_bare_question():
    sampler = registry.make("samplers", "local", model="anything")
    assert sampler.messages(Problem(id="p", question="2 + 7?")) == (Message(role="user", content="2 + 7?"),)
