import json

import pytest


@pytest.fixture
def work(tmp_path):
    entries = {
        "good": {"file_name": "p.jsonl", "formatting": "problems", "license": "MIT"},
        "gone": {"file_name": "q.jsonl"},
        "hub": {"hf_hub_url": "a/b", "ms_hub_url": "c/d", "formatting": "traces"},
        "typo": {"file": "p.jsonl"},
    }
    (tmp_path / "dataset_info.json").write_text(json.dumps(entries, indent=1))
    (tmp_path / "p.jsonl").write_text('{"question": "q", "gold": "1"}\n')
    return tmp_path


def test_list_shows_every_set_and_what_is_wrong_with_an_entry(call, work):
    code, out, _ = call("data", "list", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert {"gone", "good", "hub", "typo"} <= rows.keys()
    assert {"gsm8k", "mgsm_de", "s1K-1.1", "MATH-500"} <= rows.keys(), "the ready entries are there in any folder"
    assert (rows["good"]["place"], rows["good"]["license"], rows["good"]["fault"]) == ("p.jsonl", "MIT", "")
    assert rows["good"]["registry"] == "dataset_info.json:2"
    assert rows["hub"]["place"] == "huggingface:a/b, modelscope:c/d"
    assert "no file at q.jsonl" in rows["gone"]["fault"]
    assert "unknown key" in rows["typo"]["fault"]
    _, plain, _ = call("data", "list")
    assert [line.split()[0] for line in plain.splitlines()] == list(rows)


def test_check_takes_the_evaluation_sets_from_the_recipe_and_says_it_as_json(call, work):
    question = "A farmer has 12 cows and sells 5 of them to a neighbour. How many cows are left on the farm?"
    (work / "p.jsonl").write_text(json.dumps({"question": question, "gold": "7"}))
    row = {"question": question, "reasoning": "12 - 5 = 7", "answer": "7"}
    (work / "t.jsonl").write_text(json.dumps(row))
    (work / "r.yaml").write_text(
        "student: {kind: full, model: nobody/nothing}\nproblems: {dataset: demo, limit: 9}\n"
        "teacher: {kind: demo}\ntrain: {cutoff_len: 512}\nevaluate: {tasks: [good]}\n"
    )
    code, out, err = call("data", "check", "t.jsonl", "--recipe", "r.yaml", "--json")
    assert code == 2, err
    report = json.loads(out)
    told = {finding["name"]: finding["count"] for finding in report["findings"]}
    assert told["overlap with the evaluation sets"] == 1
    assert not report["is_sound"]


def test_check_counts_tokens_with_a_tokenizer_only(call, work, tokenizer_folder):
    (work / "t.jsonl").write_text(json.dumps({"question": "What is 1 + 1?", "reasoning": "1 + 1", "answer": "2"}))
    _, out, err = call("data", "check", "t.jsonl", "--tokenizer", tokenizer_folder, "--cutoff-len", 20)
    assert "cutoff_len 20: 1 of 1 rows are longer" in out, err
    code, _, err = call("data", "check", "t.jsonl", "--cutoff-len", 20)
    assert code == 2
    assert "add --tokenizer FOLDER" in err


def test_show_puts_brackets_around_what_is_learned(call, work, tokenizer_folder):
    (work / "t.jsonl").write_text(json.dumps({"question": "What is 1 + 1?", "reasoning": "1 + 1", "answer": "2"}))
    _, out, _ = call("data", "show", "t.jsonl", "--style", "think")
    assert out == "--- t.jsonl:1\nuser: What is 1 + 1?\nassistant: ⟦<think>\n1 + 1\n</think>\n\n2⟧\n\n"
    _, out, _ = call("data", "show", "t.jsonl", "--style", "plain", "--tokenizer", tokenizer_folder)
    assert out.count("⟦") == out.count("⟧") == 1
    assert "tokens, " in out


def test_an_unknown_name_or_style_is_one_line(call, work):
    code, _, err = call("data", "check", "goood")
    assert (code, err.count("\n")) == (2, 1)
    assert "did you mean `good`" in err
    code, _, err = call("data", "show", "good", "--style", "thnk")
    assert code == 2
    assert "did you mean `think`" in err


def test_add_says_which_column_became_what_and_what_is_not_used(call, work):
    (work / "t.jsonl").write_text(
        '{"problem": "q", "generated_solution": "a", "expected_answer": "1", "url": "u", "meta": {"by": "me"}}\n'
    )
    code, out, err = call("data", "add", "t.jsonl", "mine")
    assert code == 0, err
    assert out.splitlines() == [
        "mine: traces in t.jsonl",
        "columns: question from `problem`, gold from `expected_answer`, answer from `generated_solution`",
        "not used: url, meta (1 row)",
        "written to dataset_info.json",
    ]
    code, out, _ = call("data", "check", "mine")
    assert code == 0
    assert "columns: question from `problem`" in out
    code, _, err = call("data", "add", "t.jsonl", "mine")
    assert (code, err.count("\n")) == (2, 1)
    assert "mine: is registered already" in err
    assert call("data", "add", "t.jsonl", "mine", "--replace", "--as", "problems")[0] == 0


def test_add_takes_columns_by_what_they_hold(call, work):
    (work / "t.jsonl").write_text('{"task": "q", "result": "1"}\n')
    code, _, err = call("data", "check", "t.jsonl")
    assert code == 2
    assert "cannot tell what its columns hold: task, result" in err
    code, out, err = call("data", "add", "t.jsonl", "mine", "--column", "question=task", "--column", "gold=result")
    assert code == 0, err
    assert "columns: question from `task`, gold from `result`" in out
    code, _, err = call("data", "add", "t.jsonl", "other", "--column", "question")
    assert code == 2
    assert "--column: expected ROLE=COLUMN, found `question`" in err
