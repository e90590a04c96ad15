import pytest

from cotdistill.errors import UserError
from cotdistill.recipe.secrets import refuse_secrets
from cotdistill.yamlfile import load


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [
        ("api_key: x", True),
        ("teacher: {extra_body: {password: x}}", True),
        ("note: sk-0123456789abcdef0123", True),
        ("headers: {Authorization: Bearer 0123456789abcdef01}", True),
        ("note: 'Authorization: Bearer 0123456789abcdef01'", True),
        ("note: a key of mine (sk-0123456789abcdef0123)", True),
        ("model: mask-0123456789abcdef0123", False),
        ("api_key_env: DEEPSEEK_API_KEY", False),
        ("max_tokens: 8192", False),
        ("template: sk-learn", False),
        ("token_count: many", False),
    ],
)
def test_a_recipe_that_holds_a_key_is_refused_without_repeating_it(tmp_path, text, is_refused):
    (tmp_path / "r.yaml").write_text(text)
    source = load(tmp_path / "r.yaml")
    if not is_refused:
        refuse_secrets(source)
        return
    with pytest.raises(UserError, match=r"r\.yaml:1: .*looks like a secret.*api_key_env") as caught:
        refuse_secrets(source)
    assert "0123456789" not in str(caught.value)
