"""A model on this machine, asked in batches."""

import asyncio
import dataclasses
import json
import os
import signal
import threading

import pytest
import torch

from cotdistill import registry
from cotdistill.client.concurrency import SendGate
from cotdistill.errors import Interrupted, UserError
from cotdistill.records import Message, Problem, Sampling
from cotdistill.samplers import Request, Unanswered
from cotdistill.sampling.pool import PoolOptions, request_key, run_jobs, single_request
from cotdistill.storage.ledger import Ledger
from tests.support.tiny_student import SIZES, make_tokenizer
from tests.support.tiny_t5 import make_t5


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


def test_an_answer_ends_before_a_stop_text(base):
    whole = _texts(_ask(base, _requests(4, max_tokens=24)))
    stops = tuple(text[len(text) // 2 :][:2] for text in whole)
    responses = _ask(base, _requests(4, max_tokens=24, stop=stops))
    for response, text in zip(responses, whole, strict=True):
        (choice,) = response["choices"]
        end = min(text.find(stop) for stop in stops if stop in text)
        assert choice["message"]["content"] == text[:end]
        assert choice["finish_reason"] == "stop"
        assert response["usage"]["completion_tokens"] < 24
    searched = _ask(base, _requests(4, max_tokens=24, stop=stops, num_beams=2))
    assert not [stop for text in _texts(searched) for stop in stops if stop in text]


def test_an_answer_goes_on_from_a_prefix_and_holds_what_is_added(base):
    plain = _requests(3)
    begun = [dataclasses.replace(request, prefix="So 12 + 7 = ") for request in plain]
    without, added = _ask(base, plain), _ask(base, begun)
    assert added[0]["usage"]["prompt_tokens"] > without[0]["usage"]["prompt_tokens"]
    assert _texts(added) == [_continued(base, request) for request in begun] != _texts(without)


def _continued(base: str, request: Request) -> str:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    rows = [m.model_dump() for m in request.messages]
    text = tokenizer.apply_chat_template(rows, tokenize=False, add_generation_prompt=True) + request.prefix
    prompt = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
    found = model.generate(**prompt, max_new_tokens=12, do_sample=False)
    return tokenizer.decode(found[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)


def test_an_encoder_decoders_answer_goes_on_from_a_prefix(tmp_path):
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    folder = make_t5(tmp_path)
    model, tokenizer = AutoModelForSeq2SeqLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    sampling = Sampling(max_tokens=5, num_beams=2)
    message = Message(role="user", content="solve: ant bee")
    request = Request(Problem(id="p", question="x"), (message,), sampling, 0, prefix="cat dog")
    start = torch.tensor([[0, *tokenizer.encode("cat dog", add_special_tokens=False)]])
    ids = tokenizer("solve: ant bee </s>", return_tensors="pt").input_ids[:, :4]
    found = model.generate(input_ids=ids, decoder_input_ids=start, max_new_tokens=5, num_beams=2)
    (response,) = _ask(folder, [request])
    expected = tokenizer.decode(found[0, 3:], skip_special_tokens=True)
    assert expected
    assert response["choices"][0]["message"]["content"].strip() == expected


def test_beams_that_draw_are_the_users_fault(base):
    with pytest.raises(UserError, match="num_beams searches and temperature draws"):
        _ask(base, _requests(1, num_beams=2, temperature=1.0))


def test_an_attention_kernel_is_chosen_by_name(base):
    eager = _texts(_ask(base, _requests(5), attn_implementation="eager"))
    assert eager == _texts(_ask(base, _requests(5)))
    with pytest.raises(UserError, match="cannot be loaded with attention nonsense"):
        _ask(base, _requests(1), attn_implementation="nonsense")


def test_how_it_is_computed_is_no_part_of_the_key():
    options = registry.kinds("samplers")["local"].options
    plain = options.model_validate({"kind": "local", "model": "m"})
    other = {"devices": ["cpu", "cpu"], "attn_implementation": "eager", "batch_size": 3}
    assert options.model_validate({"kind": "local", "model": "m", **other}).key_options() == plain.key_options()


def test_an_answer_that_is_no_longer_waited_for_does_not_hold_up_the_end(base):
    async def give_up() -> None:
        async with registry.make("samplers", "local", model=base).session(SendGate()) as draw:
            answers = [asyncio.create_task(draw(request)) for request in _requests(3, max_tokens=4000)]
            (short,) = _requests(1, max_tokens=3)
            assert (await draw(short)).response["usage"]["completion_tokens"] == 3
            for answer in answers:
                answer.cancel()
            await asyncio.gather(*answers, return_exceptions=True)

    asyncio.run(give_up())
    assert "answering" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.slow
def test_several_devices_answer_as_one_does_each_in_a_process_of_its_own(base):
    requests = _requests(12)
    two = _ask(base, requests, devices=("cpu", "cpu"), batch_size=3)
    assert _texts(two) == _texts(_ask(base, requests))
    with pytest.raises(UserError, match="cannot be loaded with attention nonsense"):
        _ask(base, requests, devices=("cpu", "cpu"), attn_implementation="nonsense")


def test_an_interrupt_waits_for_the_batch_alone_and_the_next_start_asks_the_rest(base, tmp_path):
    sampler = registry.make("samplers", "local", model=base, batch_size=2)

    def run(**options) -> int:
        with Ledger(tmp_path / "ledger.jsonl") as ledger:
            missing = [r for r in _requests(60) if (request_key(r, "m"), r.index) not in ledger]
            pool = PoolOptions(concurrency=60, **options)
            run_jobs(sampler, map(single_request, missing), ledger, identity="m", options=pool)
            return len(missing)

    signals = iter([signal.SIGINT])  # a second one would not wait

    def interrupt(_: object) -> None:
        for number in signals:
            os.kill(os.getpid(), number)

    with pytest.raises(Interrupted, match="answers are stored"):
        run(on_answer=interrupt)
    missing = run()
    assert 0 < missing < 60
    assert run() == 0
