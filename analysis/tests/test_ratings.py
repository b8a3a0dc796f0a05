"""Reading anyone's ratings: what is taken, what is refused, and how a fault is named. No database."""

import io
import json
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import jsonschema
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from frictionless import validate
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import frames
from analysis.export.delimited import csv_bytes
from analysis.export.readme import readme_text
from analysis.ratings import (
    RatingsRefused,
    mapping_from_dict,
    mapping_read,
    plan_from_dict,
    plan_read,
    plan_template,
    plan_text,
    ratings_report,
    ratings_tables,
)
from analysis.ratings.columns import columns_of
from analysis.ratings.plan import RatingsPlan
from analysis.ratings.problems import MOST_SHOWN
from analysis.ratings.read import JUDGMENT_COLUMNS

PLAN = {"title": "T", "question": "Q?", "arms": ["baseline", "solu"]}
SECTIONS = {"analysis", "exclusions"}
HEAD = "arm,neuron_id,rater,judgment"
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "ratings"


@pytest.fixture
def written(tmp_path):
    """Write a file and give its path."""

    def write(content: str | bytes, name: str = "ratings.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(path: Path, mapping=None, plan=None, **files):
    chosen = mapping_from_dict(mapping, folder=path.parent) if mapping else None
    return ratings_tables(path, plan_from_dict(PLAN | (plan or {})), chosen, **files)


def judged(tables):
    """(arm, neuron, rater) -> 1, 0 or None."""
    rows = tables.judgments
    values = [None if pd.isna(value) else int(value) for value in rows["judgment"]]
    return dict(zip(zip(rows["arm"], rows["neuron_id"], rows["rater"], strict=True), values, strict=True))


def refusal(path: Path, mapping=None, **options) -> RatingsRefused:
    with pytest.raises(RatingsRefused) as caught:
        read(path, mapping, **options)
    return caught.value


WANTED = {("baseline", "1", "anna"): 1, ("solu", "2", "anna"): 0, ("solu", "2", "ben"): None}
SAME = {
    "plain": f"{HEAD}\nbaseline,1,anna,1\nsolu,2,anna,0\nsolu,2,ben,\n",
    "byte order mark, semicolons and Windows lines": (
        "\ufeffarm;neuron_id;rater;judgment\r\nbaseline;1;anna;1\r\nsolu;2;anna;0\r\nsolu;2;ben;\r\n"
    ),
    "tabs, another order and a column of no use": (
        "rater\tnote\tjudgment\tneuron_id\tarm\nanna\tx\t1\t1\tbaseline\nanna\t\t0\t2\tsolu\nben\t\t\t2\tsolu\n"
    ),
    "quotes": f'{HEAD}\n"baseline","1","anna","1"\n"solu","2","anna","0"\n"solu","2","ben",""\n',
    "Excel's decimals, spaces and blank lines": (
        f"{HEAD}\n\n baseline , 1 ,anna, 1.0 \n  \nsolu,2,anna,0.0\n,,,\nsolu,2,ben,\n\n"
    ),
    "Excel's line for the separator": (
        "sep=;\narm;neuron_id;rater;judgment\nbaseline;1;anna;1\nsolu;2;anna;0\nsolu;2;ben;\n"
    ),
    "UTF-16": f"{HEAD}\nbaseline,1,anna,1\nsolu,2,anna,0\nsolu,2,ben,\n".encode("utf-16"),
    "no last line break, old line breaks": f"{HEAD}\rbaseline,1,anna,1\rsolu,2,anna,0\rsolu,2,ben,",
}


@pytest.mark.parametrize("how", SAME)
def test_the_same_ratings_written_in_another_way_read_alike(written, how):
    assert judged(read(written(SAME[how]))) == WANTED


def test_blank_rows_and_columns_of_no_use_are_told(written):
    tables = read(written("arm,neuron_id,rater,judgment,note\nsolu,1,anna,1,x\n,,,,\nbaseline,1,anna,0,\n"))
    assert "1 empty rows were passed over." in tables.notes
    assert "Columns that are not read: note." in tables.notes


def test_parquet_of_any_types_reads_like_text(written, tmp_path):
    table = pa.table(
        {
            "arm": pa.array(["baseline", "solu", "solu"]).dictionary_encode(),
            "neuron_id": pa.array([1, 2, 2], pa.int64()),
            "rater": ["anna", "anna", "ben"],
            "judgment": pa.array([True, False, None]),
            "seconds": pa.array([1.5, float("nan"), None]),
            "order": pa.array([1.0, 2.0, 1.0]),
        }
    )
    pq.write_table(table, tmp_path / "ratings.parquet")
    tables = read(tmp_path / "ratings.parquet")
    assert judged(tables) == WANTED
    assert tables.judgments["seconds"].tolist()[0] == 1.5
    assert tables.judgments["order"].tolist() == [1, 2, 1]
    assert read(tmp_path / "ratings.parquet").judgments["seconds"].isna().sum() == 2


def test_a_bad_value_in_parquet_is_named_by_row(tmp_path):
    rows = {"arm": ["solu", "solo"], "neuron_id": [1, 2], "rater": ["a", "a"], "judgment": [1, 7]}
    pq.write_table(pa.table(rows), tmp_path / "ratings.parquet")
    assert [(problem.line, problem.column) for problem in refusal(tmp_path / "ratings.parquet").problems] == [
        (2, "arm"),
        (2, "judgment"),
    ]
    assert "row 2, column arm: Received 'solo'; allowed: baseline, solu." in str(refusal(tmp_path / "ratings.parquet"))


def test_parquet_with_lists_or_of_no_kind_is_refused(written, tmp_path):
    pq.write_table(
        pa.table({"arm": [["solu"]], "neuron_id": [1], "rater": ["a"], "judgment": [1]}), tmp_path / "a.parquet"
    )
    assert "column arm: Received values of the type list" in str(refusal(tmp_path / "a.parquet"))
    assert "This is not a Parquet file" in str(refusal(written("hello", "b.parquet")))


BAD = f"""{HEAD},seconds,order,guess_arm
baseline,1,anna,maybe,1,1,dk
solo,2,anna,1,-3,2,solu
solu,,anna,1,1,0,both

solu,"3
4",anna,2,1,1.5,
solu,5,,1,"1,5",1,
"""


def test_every_fault_is_named_by_line_and_column_with_what_is_allowed(written):
    found = refusal(written(BAD))
    assert sorted((problem.line, problem.column) for problem in found.problems) == [
        (2, "judgment"), (3, "arm"), (3, "seconds"), (4, "guess_arm"), (4, "neuron_id"), (4, "order"),
        (6, "judgment"), (6, "order"), (8, "rater"), (8, "seconds"),
    ]  # fmt: skip
    text = str(found)
    assert text.startswith("ratings.csv: 10 problems; nothing was analysed.")
    assert "line 2, column judgment: Received 'maybe'; allowed: 0, 1, or nothing for a neuron that was skipped" in text
    assert "line 4, column guess_arm: Received 'both'; allowed: baseline, solu, dk, nothing." in text
    assert "line 8, column rater: Received nothing; allowed: a name." in text


def test_only_the_first_fifty_are_shown_and_all_are_counted(written):
    found = refusal(written(HEAD + "\n" + "".join(f"solu,{number},anna,9\n" for number in range(1000))))
    assert (len(found.problems), found.total) == (MOST_SHOWN, 1000)
    assert found.problems[-1].line == 51
    assert str(found).endswith("… and 950 more.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "The file is empty"),
        (f"{HEAD}\n", "There is no judgment below the heading"),
        ("arm,neuron_id,judgment\nsolu,1,1\n", "column rater: It is needed and is not there; the columns are: arm"),
        ("Arm,neuron_id,rater,judgment\nsolu,1,a,1\n", "Did you mean 'Arm'?"),
        (f"{HEAD},arm\nsolu,1,a,1,solu\n", "line 1, column arm: Two columns have this name"),
        (f"{HEAD}\nsolu,1,a\nsolu,2,a,1\nsolu,3,a,1,1\n", "line 4: Received 5 fields; the heading has 4."),
        (f"{HEAD}\nsolu,1,a,1\nsol\xfc,2,a,1\n".encode("latin-1"), "line 3: This is not utf-8"),
        (f"{HEAD}\nsolu,1,a,1\nsolu,\0,a,1\n", "line 3: A zero byte"),
        (f"{HEAD},study\nsolu,1,a,1,x\nsolu,2,a,1,y\n", "line 3, column study: Received 'y'; the rows above are"),
        (f"{HEAD},verdict\nsolu,1,a,1,no\n", "line 2, column verdict: Received 'no' beside the judgment '1'"),
        (f"{HEAD},responses\nsolu,1,a,1,[1]\n", "a JSON object of texts"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_read_say_why(written, content, said):
    assert said in str(refusal(written(content)))


def test_a_file_that_is_not_there_says_so(tmp_path):
    assert "It cannot be read: No such file" in str(refusal(tmp_path / "nothing.csv"))


def test_the_same_rater_twice_on_a_neuron_is_refused_unless_it_is_marked_as_a_repeat(written):
    rows = f"{HEAD}\nsolu,1,anna,1\nsolu,2,anna,1\nsolu,1,anna,0\n"
    found = refusal(written(rows))
    assert (found.total, found.problems[0].line, found.problems[0].column) == (1, 4, "neuron_id")
    assert "anna has judged 1 of solu before, in line 2." in str(found)
    marked = "arm,neuron_id,rater,judgment,repeat\nsolu,1,anna,1,\nsolu,2,anna,1,0\nsolu,1,anna,0,1\n"
    assert read(written(marked)).judgments["repeat"].tolist() == [False, False, True]


def test_one_number_for_neurons_of_several_arms_and_layers_names_different_neurons(written):
    tables = read(written(f"{HEAD},layer\nsolu,7,anna,1,0\nsolu,7,anna,0,1\nbaseline,7,anna,0,0\n"))
    assert tables.judgments["neuron_id"].nunique() == 3
    assert any("taken as different neurons" in note for note in tables.notes)


MAPPING = {
    "columns": {"judgment": "Interpretable?", "rater": "Annotator", "neuron_id": "unit", "seconds": "Zeit"},
    "values": {"judgment": {"yes": 1, "no": 0, "can't say": ""}, "arm": {"A": "baseline", "B": "solu"}},
    "constants": {"size": "1L"},
    "file": {"decimal": ",", "separator": ";"},
}


def test_a_mapping_renames_columns_translates_words_and_fills_in_constants(written):
    path = written("unit;arm;Annotator;Interpretable?;Zeit\n1;A;anna;YES;12,5\n2;b;anna;no;7\n2;b;ben;Can't say;\n")
    tables = read(path, MAPPING)
    assert judged(tables) == WANTED
    assert tables.judgments["seconds"].tolist()[:2] == [12.5, 7.0]
    assert set(tables.judgments["size"]) == {"1L"}
    text = str(refusal(written("unit;arm;Annotator;Interpretable?;Zeit\n1;A;anna;perhaps;1\n"), MAPPING))
    assert "line 2, column Interpretable?: Received 'perhaps'" in text


def test_a_matrix_with_a_column_for_each_rater_is_unfolded(written):
    mapping = {"wide": {"raters": ["anna", "ben"]}}
    tables = read(written("arm,neuron_id,anna,ben,note\nbaseline,1,1,,x\nsolu,2,0,1,\n"), mapping)
    assert judged(tables) == {("baseline", "1", "anna"): 1, ("solu", "2", "anna"): 0, ("solu", "2", "ben"): 1}
    assert "1 empty cells of the matrix count as not asked." in tables.notes
    mapping["wide"]["blank"] = "skipped"
    assert judged(read(written("arm,neuron_id,anna,ben\nbaseline,1,1,\n"), mapping))["baseline", "1", "ben"] is None
    found = refusal(written("arm,neuron_id,anna,ben\nbaseline,1,1,0\nsolu,2,0,x\n"), mapping)
    assert (found.problems[0].line, found.problems[0].column) == (3, "ben")


def test_a_matrix_with_a_row_for_each_rater_takes_arms_from_another_file(written):
    written("neuron_id,arm,size\nn1,baseline,1L\nn2,solu,1L\n", "neurons.csv")
    mapping = {"wide": {"neurons": "neurons.csv"}}
    tables = read(written("rater,n1,n2\nanna,1,0\nben,,1\n"), mapping)
    assert judged(tables) == {("baseline", "n1", "anna"): 1, ("solu", "n2", "anna"): 0, ("solu", "n2", "ben"): 1}
    found = refusal(written("rater,n1,n3\nanna,1,0\n"), mapping)
    assert "column n3: neurons.csv has no such neuron" in str(found)
    written("neuron_id,arm\nn1,baseline\nn1,solu\n", "neurons.csv")
    assert "column n1: Two rows have this neuron" in str(refusal(written("rater,n1\nanna,1\n"), mapping))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"colums": {}}, "received 'colums'; known are: file, columns"),
        ({"columns": {"judgement": "x"}}, "[columns] received 'judgement'"),
        ({"columns": {"size": "s"}, "constants": {"size": "1L"}}, "size stands in [columns] and in [constants]"),
        ({"values": {"judgment": {"yes": [1]}}}, "[values.judgment] yes: received [1]"),
        ({"file": {"separator": "::"}}, "[file] separator: received '::'; give one character"),
        ({"file": {"encoding": "klingon"}}, "[file] encoding: received 'klingon'"),
        ({"wide": {}}, "[wide] give either raters"),
        ({"wide": {"raters": ["a"], "blank": "no"}}, "[wide] blank: received 'no'"),
        ({"columns": 3}, "columns: received 3; give a table"),
    ],
)
def test_a_wrong_mapping_says_what_is_wrong(data, said):
    with pytest.raises(RatingsRefused) as caught:
        mapping_from_dict(data)
    assert said in str(caught.value)


def test_a_mapping_that_names_a_column_that_is_not_there_is_refused(written):
    text = str(refusal(written(f"{HEAD}\nsolu,1,a,1\n"), {"columns": {"seconds": "time"}}))
    assert "column time: The mapping names it and is not there" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arms": ["solu", "solu"]}, "arms: Received ['solu', 'solu']"),
        ({"arms": None}, "arms: Received None"),
        ({"title": ""}, "title: Received an empty text"),
        ({"rater_kind": "robot"}, "rater_kind: Received 'robot'; choose one of: human, simulated, machine."),
        ({"looks": 3}, "looks: Unknown field"),
        ({"analysis": {"baseline": "gelu"}}, "analysis.baseline: Received 'gelu'; choose one of: baseline, solu"),
        ({"analysis": {"level": 2}}, "analysis.level: Received 2"),
        ({"exclusions": {"least_catches_right": 80}}, "exclusions.least_catches_right: Received 80"),
        (
            {"exclusions": {"exclude_beyond_times": 1}},
            "exclusions.exclude_beyond_times: Received 1; give true or false",
        ),
        ({"study": "My Study"}, "study: Received 'My Study'"),
        ({"groups": [["1L", "solu"]]}, "arms: Received"),
        ({"data_licence": "GPL"}, "data_licence: Received 'GPL'"),
    ],
)
def test_a_wrong_plan_says_what_is_wrong(changes, said):
    with pytest.raises(RatingsRefused) as caught:
        plan_from_dict(PLAN | changes)
    assert said in str(caught.value)


def test_a_plan_survives_its_file(tmp_path):
    plan = plan_from_dict(
        PLAN
        | {
            "title": 'A "title"\nwith\tsigns \\ and \x7f',
            "groups": [["1L", "baseline"], ["1L", "solu"]],
            "analysis": {"question": "generalising", "looks": 3, "level": 0.9, "size": "1L"},
            "exclusions": {"least_seconds": 3, "exclude_beyond_times": True},
            "data_licence": "CC0-1.0",
        }
    )
    (tmp_path / "plan.toml").write_text(plan_text(plan), encoding="utf-8")
    assert plan_read(tmp_path / "plan.toml") == plan


def test_the_template_is_a_plan_with_the_arms_of_the_file_and_without_any_judgment(tmp_path):
    (tmp_path / "plan.toml").write_text(plan_template(EXAMPLE / "ratings.csv"), encoding="utf-8")
    plan = plan_read(tmp_path / "plan.toml")
    assert (plan.arms, set(plan.sizes)) == (("baseline", "solu"), {"1L", "16L"})
    (tmp_path / "plan.toml").write_text(plan_template(), encoding="utf-8")
    assert plan_read(tmp_path / "plan.toml").arms == ("baseline", "treatment")


def test_catch_trials_and_counted_layers_come_from_tables_beside_the_ratings(written):
    path = written(f"{HEAD},layer\nsolu,1,anna,1,0\nsolu,1,ben,0,0\nbaseline,2,anna,1,0\nbaseline,2,ben,0,0\n")
    raters = written("rater,catches,catches_right\nanna,4,4\nben,4,1\n", "raters.csv")
    strata = written("size,arm,layer,enough,sampled\n1L,solu,0,10,1\n1L,baseline,0,10,1\n", "strata.csv")
    asked = {"exclusions": {"least_catches_right": 0.8}, "sizes": ["1L"], "analysis": {"population": "finite"}}
    tables = read(path, plan=asked, raters=raters, strata=strata)
    report = ratings_report(tables)
    assert report.raters == ("anna",)
    assert [row.neurons for row in report.populations] == [10, 10]
    assert any("--strata" in note for note in read(path, plan=asked).notes)
    few = written("size,arm,layer,enough,sampled\n1L,solu,0,0,0\n1L,baseline,0,10,1\n", "strata.csv")
    found = refusal(path, plan=asked, strata=few)
    assert [str(problem) for problem in found.problems] == [
        "size 1L, arm solu: 1 judged neurons, of only 0 that are there.",
        "size 1L, arm solu, layer 0: 1 judged neurons, of only 0 that are there.",
    ]
    text = str(refusal(path, raters=written("rater,catches,catches_right\nben,many,1\n", "raters.csv")))
    assert "raters.csv: 1 problem" in text
    assert "line 2, column catches: Received 'many'" in text


def test_an_arm_that_nobody_judged_is_undefined_and_told(written):
    tables = read(written(f"{HEAD}\nsolu,1,anna,1\nsolu,2,anna,0\n"))
    assert "Nobody judged a neuron of baseline." in tables.notes
    assert not ratings_report(tables).primary.defined


def test_the_columns_are_those_of_a_study():
    assert JUDGMENT_COLUMNS == frames.JUDGMENT_COLUMNS


def test_the_documentation_names_every_column_and_field():
    text = (EXAMPLE.parents[1] / "ratings.md").read_text()
    assert [column.name for column in columns_of(()) if f"`{column.name}`" not in text] == []
    named = {field.name for field in fields(RatingsPlan)} - SECTIONS
    assert [name for name in sorted(named) if f"`{name}`" not in text] == []
    assert all(f"[{name}]" in text for name in SECTIONS)


def test_the_example_of_the_documentation_reads(tmp_path):
    plan = plan_read(EXAMPLE / "plan.toml")
    tables = ratings_tables(EXAMPLE / "ratings.csv", plan)
    wide = ratings_tables(EXAMPLE / "matrix.csv", plan, mapping_read(EXAMPLE / "mapping.toml"))
    key = ["size", "arm", "neuron_id", "rater", "judgment"]
    shown, other = (one.judgments[key].sort_values(key[:4], ignore_index=True) for one in (tables, wide))
    pd.testing.assert_frame_equal(shown.dropna(ignore_index=True), other.dropna(ignore_index=True))


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1, max_size=8)


@settings(deadline=None, max_examples=25)
@given(rows=st.dictionaries(st.tuples(NAMES.map(str.strip).filter(bool), NAMES.map(str.strip).filter(bool)),
                            st.sampled_from([0, 1, None]), min_size=1, max_size=20))  # fmt: skip
def test_what_is_written_as_csv_or_parquet_is_read_back_whatever_the_names_are(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    table = pd.DataFrame(
        [("solu", f"n{neuron}", f"r{rater}", judgment) for (neuron, rater), judgment in rows.items()],
        columns=["arm", "neuron_id", "rater", "judgment"],
    ).astype({"judgment": "Int8"})
    (folder / "a.csv").write_bytes(csv_bytes(table))
    table.to_parquet(folder / "a.parquet")
    wanted = {("solu", f"n{neuron}", f"r{rater}"): judgment for (neuron, rater), judgment in rows.items()}
    assert judged(read(folder / "a.parquet")) == wanted
    assert judged(read(folder / "a.csv")) == wanted


def test_a_csv_of_ours_is_read_back_by_pandas_too():
    table = pd.DataFrame({"rater": ["=x", 'say "a", b', "two\nlines"], "judgment": [1, 0, 1]})
    assert pd.read_csv(io.BytesIO(csv_bytes(table)))["rater"].tolist() == ["'=x", 'say "a", b', "two\nlines"]


def test_the_command_for_ratings_writes_the_same_files_without_a_database(tmp_path, capsys):
    out = tmp_path / "out"
    arguments = [str(EXAMPLE / "matrix.csv"), "--plan", str(EXAMPLE / "plan.toml"), "--out", str(out)]
    call_command("ratings_analyze", *arguments, "--mapping", str(EXAMPLE / "mapping.toml"))
    told = capsys.readouterr().out
    assert "Primary: difference/all/solu/baseline/all = " in told
    assert "(simulated raters)" in told
    assert validate(str(out / "datapackage.json")).valid
    schema = json.loads((out / "report.schema.json").read_text())
    jsonschema.validate(json.loads((out / "report.json").read_text()), schema, jsonschema.Draft202012Validator)
    done = subprocess.run([sys.executable, "-I", "headline.py"], cwd=out, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert (out / "mapping.toml").read_bytes() == (EXAMPLE / "mapping.toml").read_bytes()
    assert {"report.html", "report.pdf", "fractions.svg", "judgments.parquet", "SHA256SUMS"} <= set(os.listdir(out))
    assert "No person rated these neurons." in (out / "README.txt").read_text()


def test_the_command_says_what_is_missing_and_what_is_wrong_and_writes_nothing(written, tmp_path):
    with pytest.raises(CommandError, match="missing: plan, out"):
        call_command("ratings_analyze", "ratings.csv")
    bad, out = written(f"{HEAD}\nsolu,1,a,maybe\n"), tmp_path / "out"
    with pytest.raises(CommandError, match="line 2, column judgment"):
        call_command("ratings_analyze", str(bad), "--plan", str(EXAMPLE / "plan.toml"), "--out", str(out))
    assert not out.exists()


def test_the_command_writes_a_plan_to_start_from_and_never_over_one(tmp_path, capsys):
    plan = tmp_path / "plan.toml"
    call_command("ratings_analyze", str(EXAMPLE / "ratings.csv"), "--write-plan", str(plan))
    assert plan_read(plan).arms == ("baseline", "solu")
    with pytest.raises(CommandError, match="never written over"):
        call_command("ratings_analyze", "--write-plan", str(plan))


def test_raters_who_are_programs_are_called_so(written):
    tables = read(written(f"{HEAD}\nsolu,1,a,1\nbaseline,2,a,0\n"), plan={"rater_kind": "machine"})
    report = ratings_report(tables)
    assert report.rater_label == "machine raters"
    assert "No person rated these neurons." in readme_text(report, {}, "none")
