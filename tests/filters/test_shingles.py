import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotdistill.filters.shingles import is_unspaced, jaccard, shingles, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tom's 3 apples, $2.50!", ["tom", "s", "3", "apples", "2", "50"]),
        ("Äpfel und ÉCOLE", ["äpfel", "und", "école"]),
        ("小明有3个", ["小", "明", "有", "3", "个"]),
        ("हिन्दी में है।", ["हिन्दी", "में", "है"]),
        ("snake_case", ["snake", "case"]),
        ("Great job! 😊🎉 48 × 2 = 96…", ["great", "job", "48", "2", "96"]),
        ("မ၊ a–b", ["မ", "၊", "a", "b"]),
        ("", []),
    ],
)
def test_words_are_what_a_reader_would_count(text, expected):
    assert list(words(text)) == expected


@pytest.mark.parametrize(("text", "expected"), [("a b c", False), ("小明有三个", True), ("小明 has three", False)])
def test_a_script_without_spaces_is_known_by_its_characters(text, expected):
    assert is_unspaced(words(text)) is expected


def test_similarity_is_one_for_the_same_words_and_zero_for_others():
    assert jaccard(shingles("One two, three four."), shingles("one two three FOUR")) == 1
    assert jaccard(shingles("one two three four"), shingles("five six seven eight")) == 0
    assert jaccard(shingles("a b c d"), shingles("a b c e")) == pytest.approx(1 / 3)
    assert jaccard(shingles("one"), shingles("one")) == 1


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ｔｏｍ　ｈａｓ　１２　ａｐｐｌｅｓ", "Tom has 12 apples"),
        ("T\u200bom ha\u2060s 1\ufeff2 app\u00adles", "Tom has 12 apples"),
        ("The \ufb01rst o\ufb03ce", "the first office"),
        ("小明有１２个\u200b苹果（红的）", "小明有12个苹果(红的)"),
        ("cafe\u0301", "café"),
        ("Tom’s “apples” — 3 × 4 ✅", "tom s apples 3 4"),
        ("MÜLLER Straße", "müller straße"),
    ],
)
def test_the_same_text_in_other_characters_has_the_same_words(text, plain):
    assert words(text) == words(plain)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_text_among_plain_words_keeps_them(text):
    found = words(f"One, {text} two")
    assert found[0] == "one"
    assert found[-1] == "two"
    assert not any(word.isspace() or not word for word in found)
