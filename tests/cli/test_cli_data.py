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


def test_list_shows_every_set_and_what_is_wrong_with_an_entry(cli, work):
    done = cli("data", "list", "--json", cwd=work)
    assert done.returncode == 0
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert {"gone", "good", "hub", "typo"} <= rows.keys()
    assert {"gsm8k", "mgsm_de", "s1K-1.1", "MATH-500"} <= rows.keys(), "the ready entries are there in any folder"
    assert (rows["good"]["place"], rows["good"]["license"], rows["good"]["fault"]) == ("p.jsonl", "MIT", "")
    assert rows["good"]["registry"] == "dataset_info.json:2"
    assert rows["hub"]["place"] == "huggingface:a/b, modelscope:c/d"
    assert "no file at q.jsonl" in rows["gone"]["fault"]
    assert "unknown key" in rows["typo"]["fault"]
    plain = cli("data", "list", cwd=work).stdout
    assert [line.split()[0] for line in plain.splitlines()] == list(rows)


def test_check_takes_the_exam_from_the_recipe_and_says_it_as_json(cli, work):
    question = "A farmer has 12 cows and sells 5 of them to a neighbour. How many cows are left on the farm?"
    (work / "p.jsonl").write_text(json.dumps({"question": question, "gold": "7"}))
    row = {"question": question, "reasoning": "12 - 5 = 7", "answer": "7"}
    (work / "t.jsonl").write_text(json.dumps(row))
    (work / "r.yaml").write_text(
        "student: {kind: full, model: nobody/nothing}\nproblems: {dataset: demo, limit: 9}\n"
        "teacher: {kind: demo}\ntrain: {cutoff_len: 512}\nevaluate: {tasks: [good]}\n"
    )
    done = cli("data", "check", "t.jsonl", "--recipe", "r.yaml", "--json", cwd=work)
    assert done.returncode == 2, done.stderr
    report = json.loads(done.stdout)
    told = {finding["name"]: finding["count"] for finding in report["findings"]}
    assert told["overlap with the evaluation sets"] == 1
    assert not report["is_sound"]


def test_check_counts_tokens_with_a_tokenizer_only(cli, work, tokenizer_folder):
    (work / "t.jsonl").write_text(json.dumps({"question": "What is 1 + 1?", "reasoning": "1 + 1", "answer": "2"}))
    done = cli("data", "check", "t.jsonl", "--tokenizer", tokenizer_folder, "--cutoff-len", 20, cwd=work)
    assert "cutoff_len 20: 1 of 1 rows are longer" in done.stdout, done.stderr
    refused = cli("data", "check", "t.jsonl", "--cutoff-len", 20, cwd=work)
    assert refused.returncode == 2
    assert "add --tokenizer FOLDER" in refused.stderr


def test_show_puts_brackets_around_what_is_learned(cli, work, tokenizer_folder):
    (work / "t.jsonl").write_text(json.dumps({"question": "What is 1 + 1?", "reasoning": "1 + 1", "answer": "2"}))
    done = cli("data", "show", "t.jsonl", "--style", "think", cwd=work)
    assert done.stdout == "--- t.jsonl:1\nuser: What is 1 + 1?\nassistant: ⟦<think>\n1 + 1\n</think>\n\n2⟧\n\n"
    done = cli("data", "show", "t.jsonl", "--style", "plain", "--tokenizer", tokenizer_folder, cwd=work)
    assert done.stdout.count("⟦") == done.stdout.count("⟧") == 1
    assert "tokens, " in done.stdout


def test_an_unknown_name_or_style_is_one_line(cli, work):
    done = cli("data", "check", "goood", cwd=work)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "did you mean `good`" in done.stderr
    done = cli("data", "show", "good", "--style", "thnk", cwd=work)
    assert done.returncode == 2
    assert "did you mean `think`" in done.stderr
