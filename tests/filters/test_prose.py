import pytest

from cotdistill.filters.prose import prose


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so 3 apples", ["so", "apples"]),
        ("```python\nfor x in xs: pass\n``` done", ["done"]),
        ("an open ```block\nof code", ["an", "open"]),
        (r"then \(a + \text{cost}\) and \[ sum \] end", ["then", "and", "end"]),
        (r"sum $x_{total} = 5$ here", ["sum", "here"]),
        ("pays $5 for one and $8 for two", ["pays", "for", "one", "and", "for", "two"]),
        (r"\begin{align} cost \end{align} ok", ["ok"]),
        ("see https://example.org/path?q=x now", ["see", "now"]),
        ("if x and y then", ["if", "and", "then"]),
        ("小明有3个apple", ["apple"]),
        ("3 + 4 = 7", []),
    ],
)
def test_code_formulas_and_numbers_are_no_prose(text, expected):
    assert prose(text).get("latin", []) == expected


def test_every_word_knows_its_script():
    assert prose("one два 三 さん ሶስት two") == {
        "kana": ["さん"],
        "han": ["三"],
        "cyrillic": ["два"],
        "latin": ["one", "two"],
        "other": ["ሶስት"],
    }
