"""The tiny encoder-decoder: an ordinary T5 folder that a prefix asks, with whole words for what it is taught."""

import functools

import pytest

from cotdistill.demo.coin_flip import make_coin_flips
from cotdistill.demo.last_letter import make_last_letters
from cotdistill.demo.problems import make_problems
from cotdistill.demo.reading import WHO, make_readings
from cotdistill.demo.t5 import PREFIX, build_words, make_t5_base, new_t5
from cotdistill.demo.tokenizer import PIECE
from cotdistill.errors import UserError

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("students") / "base"
    make_t5_base(folder, seed=1, steps=20)
    return folder


def test_the_folder_loads_as_an_ordinary_t5_that_speaks(base):
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    model, words = AutoModelForSeq2SeqLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    assert model.config.model_type == "t5" and words.chat_template is None
    assert model.config.decoder_start_token_id == model.config.pad_token_id == words.pad_token_id
    assert model.get_input_embeddings().num_embeddings == len(words)
    assert not model.config.scale_decoder_outputs
    asked = words(f"{PREFIX}Ben has 23 pears. Ben finds 4. How many pears are left?", return_tensors="pt")
    said = model.generate(**asked, max_new_tokens=8, do_sample=False)
    assert words.decode(said[0], skip_special_tokens=True)


def test_what_it_is_taught_and_asked_is_whole_words():
    words = build_words()
    stories = functools.partial(make_readings, question=WHO)
    for make in (make_problems, make_coin_flips, make_last_letters, stories):
        for problem in make(50, seed=1):
            text = f"{PREFIX}{problem.question}"
            tokens = [words.decode([token]).strip() for token in words.encode(text)]
            assert "".join(tokens) == text.replace(" ", "")
            # The first word in quotes is read by its letters: it has no space before it.
            assert len(tokens) <= len(PIECE.findall(text)) + (4 if '"' in text else 0)


def test_the_same_seed_makes_the_same_weights_and_leaves_random_numbers_alone():
    words, state = build_words(), torch.get_rng_state()
    first, second, other = (new_t5(words, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_another_student_is_no_such_base(base):
    make_t5_base(base, seed=1, steps=20)
    with pytest.raises(UserError, match="is not the student that is wanted"):
        make_t5_base(base, seed=2, steps=20)
