"""The mistakes that people make most: one line that says what to do, exit code 2, no word of Python's or pydantic's."""

import json
import re

import pytest

RECIPE = """\
name: t
problems: {dataset: demo, limit: 12, holdout: 2}
teacher: {kind: demo}
sample: {max_tokens: 64}
filter: {keep: all}
"""
STUDENT = "student: {kind: demo}\n"
SERVER = "{kind: endpoint, base_url: http://127.0.0.1:9/v1, model: m"
FOREIGN = re.compile(
    r"Traceback|Errno|pydantic|Input should|valid (?:tuple|dictionary|integer|number|string|boolean)|instance of"
    r"|unable to (?:parse|interpret)|codec|NoneType|should match pattern|Field required|\bnull\b|Extra inputs"
)
"""Words that tell of a program, and not of what to do."""

KEYS = [
    # what is written in place of a line of the recipe, and the words of the answer that matter
    ("name： t", "t.yaml:1:5: is not YAML (`：` is a full-width character: write `:`)"),
    ("name: my run", "name: a name holds letters, digits, `_`, `.` and `-` alone"),
    ("problems: ｛dataset: demo}", "`｛` is a full-width character: write `{`"),
    ("problems: {dataset: demo， limit: 12}", "`，` is a full-width character: write `,`"),
    ("problems: {dataset：demo}", "problems.dataset：demo: unknown key (`：` is a full-width character: write `:`)"),
    ("problems: {dataset: “q.jsonl”}", "`“q.jsonl”` is in full-width quotes (write `q.jsonl`)"),
    ("problems: gsm8k", 'should be a section of keys and values, not "gsm8k" (write `problems: {dataset: gsm8k}`)'),
    ("problems: {dataset: GSM8K}", "`GSM8K` is not registered (did you mean `gsm8k`?)"),
    ("problems: {dataset: openai/gsm8k}", "(did you mean `gsm8k`, which is this set?)"),
    ("problems: {path: q.jsonl}", "problems.path: unknown key (did you mean `dataset`?)"),
    ("problems: {dataset: none.jsonl}", "no file `none.jsonl`"),
    ("problems: {dataset: ~/none.jsonl}", "no file `/"),
    (
        'problems: {dataset: "C:\\Users\\q.jsonl"}',
        "in double quotes a backslash begins a special character: use single",
    ),
    (
        "problems: {dataset: cols.jsonl}",
        "`problems: {dataset: cols.jsonl, columns: {question: prompt, gold: response}}`",
    ),
    ("problems: {dataset: empty.jsonl}", "empty.jsonl: the file is empty (was it written to the end?)"),
    ("problems: {dataset: gbk.jsonl}", "(convert it first: iconv -f GBK -t UTF-8 gbk.jsonl > utf8-gbk.jsonl)"),
    ("problems: {dataset: t.yaml}", "a .yaml file cannot be read (a recipe is looked at by: cotdistill-cli check)"),
    ("problems: {dataset: demo}", "the set `demo` is unlimited (add `limit:`)"),
    ("problems: {dataset: demo, limit: many}", 'problems.limit: should be a whole number, not "many"'),
    ("problems: {dataset: demo, limit: -3}", "problems.limit: should be 1 or more, not -3"),
    ("problems: {dataset: demo, limit: 3, holdout: 3}", "a holdout of 3 leaves nothing of 3 problems to sample"),
    ("teacher: {model: m}", "teacher: `kind:` is missing (add `kind: endpoint`)"),
    ("teacher: deepseek-reasoner", "(write `teacher: {kind: endpoint, base_url: …, model: deepseek-reasoner}`)"),
    ("teacher: {kind: openai, model: m}", 'teacher.kind: unknown kind "openai" (did you mean `endpoint`?)'),
    ("teacher: {kind: Endpoint, model: m}", "(did you mean `endpoint`?)"),
    ("teacher: {kind: replay, path: none.jsonl}", "teacher.path: no such file: none.jsonl"),
    (f"teacher: {SERVER}, timeout: 60}}", "teacher.timeout: unknown key (did you mean `total_timeout_s`?)"),
    (f"teacher: {SERVER}, max_retries: 3}}", "teacher.max_retries: unknown key (did you mean `max_attempts`?)"),
    (f"teacher: {SERVER}, temperature: 1}}", "(write it under `sample:`, as `sample: {temperature: …}`)"),
    (
        f"teacher: {SERVER}, prices: 2.19}}",
        "teacher.prices: should be a section of keys and values, not 2.19 (write `pr",
    ),
    (f"teacher: {SERVER}, api_key_env: $MY_KEY}}", "is the name of a variable, without the $: write `MY_KEY`"),
    (f"teacher: {SERVER}, api_key: sk-0123456789abcdefghij}}", "looks like a secret"),
    (
        f"teacher: {SERVER}, prompt: gbk.txt}}",
        "teacher.prompt: gbk.txt:1: is not UTF-8 (byte 0xbd) (convert it first: ic",
    ),
    (f"teacher: {SERVER}, prompt: utf16.txt}}", "iconv -f UTF-16 -t UTF-8 utf16.txt > utf8-utf16.txt"),
    (f"teacher: {SERVER}, prompt: none.txt}}", "teacher.prompt: no such file: none.txt"),
    (f"teacher: {SERVER}, prompt: folder}}", "teacher.prompt: folder: is a folder (name a file in it)"),
    (f'teacher: {SERVER}, prompt: "Solve {{question}}"}}', "a file is named here: write the text into one"),
    ("teacher: {kind: endpoint, model: m, base_url: host/v1}", "must be an http or https address"),
    ("sample: {n: 4}", "sample.n: unknown key (did you mean `samples_per_problem`?)"),
    ("sample: {num_samples: 4}", "sample.num_samples: unknown key (did you mean `samples_per_problem`?)"),
    ("sample: {max_new_tokens: 4}", "sample.max_new_tokens: unknown key (did you mean `max_tokens`?)"),
    ("sample: {max_tokens: 8k}", 'sample.max_tokens: should be a whole number, not "8k"'),
    ("sample: {budget: 5}", "sample.budget: should be a section of keys and values, not 5 (write `budget: {usd: 5}`)"),
    ("sample: {until: 3}", "sample.until: should be a section of keys and values, not 3 (write `until: {correct: 3}`)"),
    ("filter: {keep: some}", 'filter.keep: should be correct, majority, correct_or_majority or all, not "some"'),
    ("filter: {pass_rate: 0.5}", "filter.pass_rate: should be a list of 2 values, not 0.5"),
    ("filter: {pass_rate: [0.5]}", "filter.pass_rate: should be a list of 2 values, not [0.5]"),
    (f"{STUDENT}evaluate: gsm8k", 'not "gsm8k" (write `evaluate: {tasks: gsm8k}`)'),
    ("filter: {$keep: all}", "filter.$keep: unknown key (write `keep`, without the $)"),
    ("convert: {dataset: 数据集}", "convert.dataset: `数据集` is no name of a file: write letters a to z, digits"),
    ("student: Qwen/Qwen2.5-7B", "(write `student: {kind: full, model: Qwen/Qwen2.5-7B}`)"),
    (f"{STUDENT}train: {{lr: 1e-5}}", "train.lr: unknown key (did you mean `learning_rate`?)"),
    (f"{STUDENT}train: {{epochs: 3}}", "train.epochs: unknown key (did you mean `num_train_epochs`?)"),
    (
        f"{STUDENT}train: {{batch_size: 3}}",
        "train.batch_size: unknown key (did you mean `per_device_train_batch_size`?)",
    ),
    (
        f"{STUDENT}train: {{lora_rank: 8}}",
        "train.lora_rank: unknown key (write it under `student:`, as `student: {kind",
    ),
    (f"{STUDENT}train: {{finetuning_type: full}}", "train.finetuning_type: unknown key (the student's kind says it"),
    (f"{STUDENT}train: {{deepspeed: none.json}}", "train.deepspeed: no such file: none.json"),
    (f"{STUDENT}train: {{bf16: perhaps}}", 'train.bf16: should be true or false, not "perhaps"'),
    ("arms: [a, b]", 'arms: should be a section of keys and values, not ["a", "b"]'),
    ('arms: {"../evil": {filter: {keep: all}}}', "a name holds letters, digits"),
]
COMMANDS = [
    ("check folder", "folder: is a folder, not a recipe (name a YAML file)"),
    ("check q.jsonl", "q.jsonl: is a data file, not a recipe (a recipe names it: `problems: {dataset: q.jsonl}`"),
    ("check t.yml", "t.yml: no such file (did you mean `t.yaml`?)"),
    ("check other.yml", "other.yml: no such file (paths are relative to the working directory)"),
    ("check empty.yaml", "empty.yaml: is empty"),
    (
        "check gbk.yaml",
        "gbk.yaml:1: is not UTF-8 (byte 0xca) (convert it first: iconv -f GBK -t UTF-8 gbk.yaml > utf8-gb",
    ),
    ("check utf16.yaml", "iconv -f UTF-16 -t UTF-8 utf16.yaml > utf8-utf16.yaml"),
    ("data check t.yaml", "a .yaml file cannot be read (a recipe is looked at by: cotdistill-cli check)"),
    ("data check empty.jsonl", "empty.jsonl: the file is empty"),
    ("run t.yaml --runs q.jsonl", "`q.jsonl` is a file"),
    ("run t.yaml --runs /proc/none/runs", "/proc/none: no such file or folder, or none can be made there"),
    ("run t.yaml filter.keep=all", "(write --set filter.keep=all)"),
    ("train t.yaml", "the recipe does not run `train` (add a `train:` section; it runs sample, filter)"),
    ("filter t.yaml --set name=new", "(first: cotdistill-cli sample t.yaml --set name=new)"),
]


@pytest.fixture
def work(tmp_path, call):
    (tmp_path / "t.yaml").write_text(RECIPE)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "q.jsonl").write_text('{"question": "What is 1+1?", "gold": "2"}\n')
    (tmp_path / "cols.jsonl").write_text(json.dumps({"prompt": "What is 1+1?", "response": "2"}) + "\n")
    (tmp_path / "gbk.jsonl").write_bytes('{"question": "一加一？", "gold": "2"}\n'.encode("gbk"))
    (tmp_path / "gbk.txt").write_bytes("解答：{question}".encode("gbk"))
    (tmp_path / "utf16.txt").write_bytes("解答：{question}".encode("utf-16"))
    (tmp_path / "gbk.yaml").write_bytes(RECIPE.replace("name: t", "name: 数据").encode("gbk"))
    (tmp_path / "utf16.yaml").write_bytes(RECIPE.encode("utf-16"))
    return call


def with_line(line):
    """Return the recipe with the line of its section replaced, or with another one."""
    key = re.split("[:：]", line)[0]
    lines = [old for old in RECIPE.splitlines() if not old.startswith(f"{key}:")]
    return "\n".join([line, *lines] if key == "name" else [*lines, line]) + "\n"


@pytest.mark.parametrize(("line", "said"), KEYS, ids=[line[:60] for line, _ in KEYS])
def test_a_wrong_line_of_a_recipe(work, tmp_path, line, said):
    (tmp_path / "t.yaml").write_text(with_line(line))
    code, out, err = work("check", "t.yaml")
    assert (code, out) == (2, "")
    assert said in err
    assert not FOREIGN.search(err), err


@pytest.mark.parametrize(("words", "said"), COMMANDS, ids=[words for words, _ in COMMANDS])
def test_a_wrong_command(work, words, said):
    code, out, err = work(*words.split())
    assert (code, out) == (2, "")
    assert said in err
    assert not FOREIGN.search(err), err


@pytest.mark.parametrize(
    "line", ["sample: {max_tokens: 64, stop: '###'}", f"{STUDENT}train: {{}}\nevaluate: {{tasks: holdout}}"]
)
def test_one_value_where_a_list_is_meant_is_taken(work, tmp_path, line):
    (tmp_path / "t.yaml").write_text(with_line(line))
    assert work("check", "t.yaml")[0] == 0
