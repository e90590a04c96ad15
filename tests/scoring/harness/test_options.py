"""Which options belong to which mode, and what is said where lm-eval is not installed."""

import sys

import pytest

from cotdistill.errors import RecipeFault
from cotdistill.scoring.harness.options import HarnessOptions, check_mode

RECIPE = """\
name: t
student: {kind: demo}
evaluate:
  baseline: false
  tasks: [gsm8k]
"""


@pytest.fixture
def recipe(tmp_path):
    """Write a recipe with more lines in its section."""

    def write(*lines):
        path = tmp_path / "t.yaml"
        path.write_text(RECIPE + "".join(f"  {line}\n" for line in lines))
        return path

    return write


@pytest.fixture
def no_lm_eval(monkeypatch):
    monkeypatch.setitem(sys.modules, "lm_eval", None)


def test_options_of_the_other_mode_are_refused_by_their_key():
    check_mode("reasoning", {"tasks", "max_tokens"})
    for mode, given in (("reasoning", "harness"), ("harness", "max_tokens"), ("harness", "think_budget")):
        with pytest.raises(RecipeFault) as fault:
            check_mode(mode, {"tasks", given})
        assert fault.value.where == f"evaluate.{given}"


def test_check_prints_the_line_that_installs_lm_eval(call, recipe, no_lm_eval):
    code, _, err = call("check", recipe("mode: harness"))
    assert code == 2
    assert "t.yaml:6: evaluate.mode: `mode: harness` needs lm_eval (pip install 'cotdistill[eval]')" in err


def test_check_names_an_option_of_the_other_mode_with_its_line(call, recipe):
    code, _, err = call("check", recipe("harness: {num_fewshot: 0}"))
    assert code == 2
    assert "t.yaml:6: evaluate.harness: is for `mode: harness`" in err


def test_the_id_of_a_token_is_taken_as_it_is_written():
    assert HarnessOptions.model_validate({"think_end_token": 151668}).think_end_token == "151668"
