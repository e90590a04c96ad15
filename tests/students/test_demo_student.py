"""The student kind `demo`: chosen by name, made in the folder it is given, all of it learns."""

import pytest

from cotdistill.registry import kinds, make

pytest.importorskip("torch")


def test_it_makes_a_student_all_of_whose_weights_learn(tmp_path):
    student = make("students", "demo", base_steps=1)
    folder = student.base(tmp_path / "base", seed=4)
    assert folder == str(tmp_path / "base")
    model = student.load(folder)
    assert all(weight.requires_grad for weight in model.parameters())
    assert student.base(tmp_path / "base", seed=4) == folder


def test_its_options_are_documented_and_checked():
    options = kinds("students")["demo"].options
    assert set(options.model_fields) == {"kind", "base_steps", "words"}
    assert options.model_fields["base_steps"].description
    with pytest.raises(ValueError, match="base_steps"):
        options.model_validate({"kind": "demo", "base_steps": -1})


def test_the_words_of_all_tasks_can_be_single_tokens(tmp_path):
    from transformers import AutoTokenizer

    from cotdistill.demo.tasks import SETS, TEXTS
    from cotdistill.demo.tokenizer import PIECE

    folder = make("students", "demo", base_steps=0, words="all").base(tmp_path / "base", seed=4)
    words = AutoTokenizer.from_pretrained(folder)
    for name in ("coin_flip", "passages", "last_letter"):
        for problem in SETS[name].exam()[:50]:
            assert len(words.encode(problem.question)) <= len(PIECE.findall(problem.question)) + 1
    assert TEXTS
