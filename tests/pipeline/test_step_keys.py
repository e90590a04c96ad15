from cotdistill.pipeline.step_keys import changed
from cotdistill.storage.keys import by_content


def test_a_file_counts_by_what_it_says(tmp_path):
    path = tmp_path / "prompt.txt"
    path.write_text("one")
    first = by_content({"prompt": str(path)})
    path.write_text("two")
    assert by_content({"prompt": str(path)}) != first
    assert by_content({"prompt": "no such file"}) == {"prompt": "no such file"}


def test_a_change_is_shown_by_its_name_in_the_recipe():
    old = {"options": {"keep": "correct", "n": 1}, "roles": {"judge": {"model": "a"}}, "seed": 1}
    new = {"options": {"keep": "all", "n": 1}, "roles": {"judge": {"model": "b"}}, "seed": 2}
    assert changed(old, new, "filter") == [
        "filter.keep changed: correct -> all",
        "judge.model changed: a -> b",
        "seed changed: 1 -> 2",
    ]
