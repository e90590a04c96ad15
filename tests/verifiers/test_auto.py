import pytest

from cotdistill.verifiers.auto import auto

FORMS = {
    "choice": ["C", "(C)", "C) Paris", "C. Paris", "\\text{(C)}", "#### B", "I"],
    "numeric": ["#### 18", "x=5", "\\$70,000", "3/4", "90^\\circ", "-0.5", "10\\%", "5 \\text{ cm}^2", "18 dollars", "৭০,০০০",
                "\\frac{1}{2}", "3.0 \\times 10^{8}", "twelve"],
    "exact": ["Paris", "\\text{Evelyn}", "Yes", "No", "no.", "June 20", "New York"],
    "math": ["2\\sqrt{3}", "-2, 6", "[2,5)", "(3,4)", "y = 2x + 3", "x", "2^{10}", "p - q", "1210_3", "\\pi", "3x", "1,4", "A = \\frac{1}{2}bh"],
    "clock": ["12:00", "7:30 pm"],
}  # fmt: skip
NOTHING_SAID = {
    "choice": "no option is chosen",
    "numeric": "no final number found",
    "exact": "no final answer found",
    "math": "no final expression found",
    "clock": "no clock time or ratio found",
}


@pytest.mark.parametrize(("form", "gold"), [(form, gold) for form, golds in FORMS.items() for gold in golds])
def test_the_form_of_gold_chooses_the_verifier(form, gold):
    assert auto(gold, "").reason == NOTHING_SAID[form]


@pytest.mark.parametrize(
    ("gold", "right", "wrong"),
    [
        ("C", "The answer is (C).", "The answer is (B)."),
        ("#### 18", "She makes **$18**.", "She makes **$19**."),
        ("Paris", "The answer is Paris.", "The answer is Rome."),
        ("2\\sqrt{3}", "\\boxed{\\sqrt{12}}", "\\boxed{\\sqrt{13}}"),
    ],
)
def test_each_row_is_compared_by_its_own_verifier(gold, right, wrong):
    assert auto(gold, right).outcome == "correct"
    assert auto(gold, wrong).outcome == "wrong"


def test_its_options_reach_the_verifier():
    assert auto("1234", "1.234", locale="de").outcome == "correct"
    assert auto("1234", "1.234", locale="en").outcome == "wrong"
    assert auto("2^{x}", "9^{9^{9^{9}}}", timeout_s=0.2).outcome == "error"
