import pytest

from cotdistill.data.readers import read_rows
from cotdistill.errors import UserError


def rows(path, text, **options):
    path.write_text(text, encoding="utf-8", newline="")
    return list(read_rows(path, **options))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_table_reads_alike_from_every_system(tmp_path, end, mark):
    path = tmp_path / "p.csv"
    found = rows(path, mark + f'question,gold{end}"Two, and{end}two?",4{end}{end}多少?,5{end}')
    assert found == [
        (f"{path}:2", {"question": f"Two, and{end}two?", "gold": "4"}),
        (f"{path}:5", {"question": "多少?", "gold": "5"}),
    ]


def test_a_tsv_file_without_a_header_takes_its_names_from_outside_and_has_no_quotes(tmp_path):
    path = tmp_path / "p.tsv"
    assert rows(path, '"Why" she asked\t18\n', names=("question", "gold")) == [
        (f"{path}:1", {"question": '"Why" she asked', "gold": "18"})
    ]


def test_a_field_may_be_as_long_as_a_rationale(tmp_path):
    [(_, row)] = rows(tmp_path / "p.csv", f"question\n{'x' * 300_000}\n")
    assert len(row["question"]) == 300_000


def test_a_row_of_another_width_is_bad_and_the_others_are_read(tmp_path):
    bad = []
    found = rows(
        tmp_path / "p.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n", on_bad=lambda fault, text: bad.append((str(fault), text))
    )
    assert [row for _, row in found] == [{"a": "1", "b": "2"}, {"a": "7", "b": "8"}]
    path = tmp_path / "p.csv"
    assert bad == [
        (f"{path}:3: expected 2 columns, found 1", "3"),
        (f"{path}:4: expected 2 columns, found 3", "4,5,6"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,a\n1,2\n", "p.csv:1: a: duplicate column"),
        ("a,\n1,2\n", "p.csv:1: column 2 has no name"),
        ('a\n"never closed\n', "p.csv:2: is no table: unexpected end of data"),
        ('a\n"x" y\n', "p.csv:2: is no table"),
    ],
)
def test_a_broken_table_is_named_with_its_line(tmp_path, text, message):
    with pytest.raises(UserError, match=message):
        rows(tmp_path / "p.csv", text)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
@pytest.mark.parametrize("note", [False, True])
def test_a_table_of_excel_says_by_its_first_line_what_stands_between_the_fields(tmp_path, mark, note):
    path = tmp_path / "p.csv"
    said = f"sep={mark}\r\n" if note else ""
    text = f'{said}question{mark}gold\r\n"Two{mark} and, two?"{mark}3,5\r\n'
    assert rows(path, "\ufeff" + text) == [
        (f"{path}:{3 if note else 2}", {"question": f"Two{mark} and, two?", "gold": "3,5"})
    ]


def test_a_comma_in_a_quoted_name_is_no_delimiter(tmp_path):
    path = tmp_path / "p.csv"
    assert rows(path, '"question, as asked";gold\nq;4\n')[0][1] == {"question, as asked": "q", "gold": "4"}


def test_the_row_numbers_of_pandas_are_a_column_with_a_name(tmp_path):
    path = tmp_path / "p.csv"
    assert rows(path, ",question,gold\n0,q,4\n")[0][1] == {"Unnamed: 0": "0", "question": "q", "gold": "4"}


def test_a_table_without_a_header_has_as_many_fields_as_it_has_names(tmp_path):
    path = tmp_path / "p.csv"
    assert rows(path, "a; b; c or d?,4\n", names=("question", "gold"))[0][1] == {
        "question": "a; b; c or d?",
        "gold": "4",
    }
    assert rows(path, "a, b, c or d?;4\n", names=("question", "gold"))[0][1] == {
        "question": "a, b, c or d?",
        "gold": "4",
    }
