"""What is hashed piece by piece has the key of the whole: run folders of earlier versions are found again."""

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from cotdistill.records import Message, Sampling
from cotdistill.storage.keys import completion_key, key_of, key_of_rows, key_of_text

TEXTS = st.text(st.characters(), max_size=20)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers(), lambda v: st.lists(v) | st.dictionaries(TEXTS, v)
)


@given(st.lists(VALUES))
def test_rows_one_by_one_have_the_key_of_their_list(rows):
    assert key_of_rows(iter(rows)) == key_of(rows)


@given(st.lists(TEXTS))
def test_the_parts_of_a_text_have_the_key_of_the_text(parts):
    assert key_of_text(iter(parts)) == key_of("".join(parts))


SAMPLINGS = st.builds(Sampling, max_tokens=st.none() | st.integers(1), temperature=st.none() | st.floats(0, 2))


@given(TEXTS, TEXTS, TEXTS, SAMPLINGS)
def test_a_request_is_named_by_the_canonical_text_of_what_decides_its_answers(model, question, prefix, sampling):
    identity = {
        "model": model,
        "messages": [["user", question]],
        "sampling": sampling.model_dump(exclude_none=True),
        **({"prefix": prefix} if prefix else {}),
    }
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    key = completion_key(model, [Message(role="user", content=question)], sampling, prefix)
    assert key == hashlib.sha256(text.encode()).hexdigest()
