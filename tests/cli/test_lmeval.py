"""What `lmeval` says of options that cannot work, before anything is loaded."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--model: is missing"),
        (("--model", "./nowhere"), "--model: no such folder: ./nowhere"),
        (("--model", "no/tokenizer/here"), "--model: no such folder: no/tokenizer/here"),
        (
            ("--model", "owner/name", "--batch_size", "many"),
            "--batch_size: expected a number from 1 on, auto or auto:N",
        ),
        (("--model", "owner/name", "--trust_remote_code", "maybe"), "--trust_remote_code: expected true or false"),
        (("--model", "owner/name", "--trust_remote_code", "true"), "runs only at a pinned revision"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(call, arguments, message):
    code, out, err = call("lmeval", "--tasks", "gsm8k", *arguments)
    assert (code, out) == (2, "")
    assert message in err and err.startswith("error: ")


def test_a_model_without_its_tokenizer_is_found_before_it_is_loaded(call, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "qwen2"}')
    code, _, err = call("lmeval", "--tasks", "gsm8k", "--model", "model")
    assert code == 2
    assert "model/tokenizer.json: is missing, and no other vocabulary is there" in err


def test_list_names_what_stands_for_several_tasks(call):
    code, out, _ = call("lmeval", "--tasks", "list")
    assert code == 0
    assert out.splitlines()[:3] == [
        "mgsm_cot_native: unweighted mean",
        "mgsm_direct: unweighted mean",
        "mmlu: mean weighted by size",
    ]
