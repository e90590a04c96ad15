import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cotdistill.client.costs import Budget, Prices, Spending, dollars

PRICES = Prices(input=0.5, output=2.0, cached_input=0.1)


def response(prompt=0, completion=0, **usage):
    return {"choices": [], "usage": {"prompt_tokens": prompt, "completion_tokens": completion, **usage}}


def spent(*responses):
    spending = Spending()
    for one in responses:
        spending.add(one)
    return spending


def test_tokens_are_added_up_as_the_server_counts_them():
    assert spent(response(20, 9), response(30, 1)) == Spending(answers=2, input_tokens=50, output_tokens=10)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_cache_hit_tokens": 600_000, "prompt_cache_miss_tokens": 400_000},
        {"prompt_tokens_details": {"cached_tokens": 600_000}},
    ],
    ids=["DeepSeek", "OpenAI"],
)
def test_cached_input_has_its_own_price(usage):
    spending = spent(response(1_000_000, 1_000_000, **usage))
    assert spending.cached_tokens == 600_000
    assert spending.usd(PRICES) == pytest.approx(0.4 * 0.5 + 0.6 * 0.1 + 2.0)
    assert spending.usd(Prices(input=0.5, output=2.0)) == pytest.approx(2.5)


@pytest.mark.parametrize(
    "usage",
    [None, "many", [], {}, {"completion_tokens": None}, {"completion_tokens": 0}],
)
def test_an_answer_whose_tokens_are_not_counted_is_counted_by_its_characters(usage):
    message = {"role": "assist", "content": "x" * 40, "reasoning_content": "y" * 360, "refusal": None}
    spending = spent({"choices": [{"message": message}], "usage": usage})
    assert (spending.uncounted, spending.output_tokens) == (1, 100)


@pytest.mark.parametrize(
    "row",
    [{}, {"choices": None}, {"choices": ["x"]}, {"choices": [{"message": 3}]}, {"usage": {"completion_tokens": -3}}],
)
def test_a_response_of_another_shape_costs_nothing_and_breaks_nothing(row):
    assert spent(row).usd(PRICES) == 0


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_whatever_stands_in_usage_the_sums_never_fall(usage):
    spending = spent({"usage": usage}, {"usage": {"completion_tokens": 1, "prompt_tokens_details": usage}})
    assert spending.answers == 2
    assert min(spending.input_tokens, spending.cached_tokens, spending.output_tokens) >= 0


@pytest.mark.parametrize(
    ("budget", "tokens", "reason"),
    [
        (Budget(output_tokens=1000), 999, ""),
        (Budget(output_tokens=1000), 1000, "1,000 of 1,000 output tokens are spent"),
        (Budget(usd=1), 499_999, ""),
        (Budget(usd=1), 500_000, "$1.00 of $1.00 are spent"),
        (Budget(usd=0.5, output_tokens=10**9), 300_000, "$0.600 of $0.500 are spent"),
        (None, 10**12, ""),
    ],
)
def test_a_budget_is_spent_when_one_of_its_limits_is_reached(budget, tokens, reason):
    assert spent(response(0, tokens)).over(budget, PRICES) == reason


def test_a_budget_needs_a_limit():
    with pytest.raises(ValidationError, match="must hold `usd` or `output_tokens`"):
        Budget()


def test_the_sums_as_json_leave_out_no_unknown_price():
    spending = spent(response(1000, 500))
    assert spending.as_json(None)["usd"] is None
    assert spending.as_json(PRICES)["usd"] == 0.0015


@pytest.mark.parametrize(
    ("usd", "text"), [(0.0042, "$0.004"), (0.5, "$0.500"), (1, "$1.00"), (99.5, "$99.50"), (12345.6, "$12,346")]
)
def test_an_amount_has_the_digits_that_matter(usd, text):
    assert dollars(usd) == text


@pytest.mark.parametrize(
    ("written", "tokens", "uncounted"),
    [
        (1000, 1000, 0),
        (1000.0, 1000, 0),
        ("1000", 1000, 0),
        (-1000, 10, 1),
        (True, 10, 1),
        (10**400, 10, 1),
        (float("inf"), 10, 1),
        ("²", 10, 1),
        ([1000], 10, 1),
    ],
)
def test_a_count_is_taken_as_servers_write_it_or_estimated_never_nothing(written, tokens, uncounted):
    spending = spent({"choices": [{"message": {"content": "x" * 40}}], "usage": {"completion_tokens": written}})
    assert (spending.output_tokens, spending.uncounted) == (tokens, uncounted)


def test_other_scripts_have_more_tokens_a_character_and_lists_are_texts_too():
    assert spent({"choices": [{"message": {"content": "答" * 300}}]}).output_tokens == 200
    assert spent({"choices": [{"message": {"content": [{"type": "text", "text": "x" * 40}]}}]}).output_tokens == 10
