"""Tables of scans as people and their programs write them, harmless and hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.batch.scan_list import ScanList, fit_name, read_scans
from core.errors import UserError
from core.tasks import find


def listed(folder: Path, text: str, task: str = "inpaint", encoding: str = "utf-8") -> ScanList:
    table = folder / "manifest.csv"
    table.write_bytes(text.encode(encoding))
    return read_scans(table, find(task), ("summary.csv",))


def refused(folder: Path, text: str, task: str = "inpaint") -> str:
    with pytest.raises(UserError) as caught:
        listed(folder, text, task)
    assert caught.value.code == "manifest_wrong"
    return caught.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_program_may_have_written_the_table(tmp_path: Path, encoding: str, separator: str, end: str) -> None:
    lines = [("Name", "T1", "MASK"), ("Größe 1", "kopf é.nii.gz", "m a.nii"), ("", "", ""), ("b", "/x/t1.nii", "")]
    text = end.join(separator.join(cells) for cells in lines) + end
    first, second = listed(tmp_path, text, encoding=encoding).scans
    assert (first.name, dict(first.inputs)) == (
        "Größe 1",
        {"t1": str(tmp_path / "kopf é.nii.gz"), "mask": str(tmp_path / "m a.nii")},
    )
    # an empty cell is no input; whether files exist is left to the run
    assert (second.name, dict(second.inputs)) == ("b", {"t1": "/x/t1.nii"})


def test_a_line_may_state_the_separator(tmp_path: Path) -> None:
    (scan,) = listed(tmp_path, 'sep=|\nt1|mask\n"a|b.nii"|m.nii\n').scans
    assert (scan.name, Path(scan.inputs["t1"]).name) == ("a_b", "a|b.nii")


def test_columns_of_parameters_and_columns_of_no_use(tmp_path: Path) -> None:
    read = listed(tmp_path, "image,Age,target voxel,thickness\na.nii,33,x,5\nb.nii,34,,\n", "superres")
    assert [dict(scan.params) for scan in read.scans] == [{"thickness": "5"}, {}]
    assert read.unused == ("Age", "target voxel")
    with pytest.raises(UserError) as caught:
        listed(tmp_path, "image,thickness\na.nii,5\nb.nii,thick\n", "superres")
    assert caught.value.code == "bad_parameter" and caught.value.message.startswith("Line 3: ")


@pytest.mark.parametrize("missing", ["NA", "n/a", "NaN", "#N/A"])
def test_what_r_and_pandas_write_for_no_value_is_no_file(tmp_path: Path, missing: str) -> None:
    text = f"t1,t2,flair,samples\na/t1.nii,{missing},,2\n{missing},b/t2.nii,{missing},{missing}\n"
    first, second = listed(tmp_path, text, "translate").scans
    assert (first.name, set(first.inputs), dict(first.params)) == ("t1", {"t1"}, {"samples": "2"})
    assert (second.name, set(second.inputs), dict(second.params)) == ("t2", {"t2"}, {})
    # a scan or a folder may be called so
    (tmp_path / "NA").mkdir()
    (named,) = listed(tmp_path, "name,t1\nNA,NA\n", "translate").scans
    assert (named.name, named.inputs["t1"]) == ("NA", str(tmp_path / "NA"))


def test_scans_are_named_by_as_much_of_their_paths_as_tells_them_apart(tmp_path: Path) -> None:
    paths = ["a/x/t1.nii.gz", "b/x/t1.nii.gz", "b/y/t1.nii.gz", "other.mgz", "DICOM/", "../up.nii", "c/FOLDER#2"]
    read = listed(tmp_path, "t1,mask\n" + "".join(f"{path},m.nii\n" for path in paths))
    assert [scan.name for scan in read.scans] == ["a_x_t1", "b_x_t1", "b_y_t1", "other", "DICOM", "up", "FOLDER_2"]


def test_translation_needs_any_of_its_inputs(tmp_path: Path) -> None:
    scans = listed(tmp_path, "t2,flair\na/t2.nii,\n,b/flair.nii\n", "translate").scans
    assert [(scan.name, list(scan.inputs)) for scan in scans] == [("t2", ["t2"]), ("flair", ["flair"])]
    assert "no column t1 or t1ce or t2 or flair" in refused(tmp_path, "name,target\na,t2\n", "translate")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("\n \n,,\n", "empty"),
        ("t1,mask\n", "no rows"),
        ("t1\na.nii\n", "no column mask"),
        ("a.nii,m.nii\nb.nii,m.nii\n", "its columns are a.nii, m.nii"),
        ("t1,mask,T1\na,b,c\n", "two columns 't1'"),
        ("t1,mask\na, b.nii,m.nii\n", "Line 2 has 3 cells"),
        ('t1,mask\n"a.nii,m.nii\n', "cannot be read"),
        ("name,t1,mask\nA,a.nii,m.nii\na,b.nii,m.nii\n", "one folder: 2, 3"),
        ("t1,mask\na.nii,m.nii\n\na.nii,n.nii\n", "one folder: 2, 4"),
        ("name,t1,mask\n../up,a.nii,m.nii\n", "Line 2: a scan cannot be named '../up'"),
        ("name,t1,mask\n=1+1,a.nii,m.nii\n", "cannot be named"),
        ("name,t1,mask\n.hidden,a.nii,m.nii\n", "cannot be named"),
        (f"name,t1,mask\n{'é' * 51},a.nii,m.nii\n", "cannot be named"),
        ("name,t1,mask\nSummary.CSV,a.nii,m.nii\n", "the batch itself writes summary.csv"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(tmp_path, text)


def test_what_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "scan.nii"
    table.write_bytes(b"\x5c\x01\0\0" + bytes(4000))
    for path, code in ((table, "manifest_wrong"), (tmp_path / "nowhere", "file_missing"), (tmp_path, "file_missing")):
        with pytest.raises(UserError) as caught:
            read_scans(path, find("inpaint"))
        assert caught.value.code == code
    assert caught.value.message == "This is a folder, not a table of scans."


@pytest.mark.parametrize(
    ("cell", "there"),
    [
        ("sub\\t1.nii.gz", "sub/t1.nii.gz"),
        (".\\sub\\t1.nii.gz", "sub/t1.nii.gz"),
        ("M\u00fcller/t1.nii.gz", "Mu\u0308ller/t1.nii.gz"),
        ("Mu\u0308ller\\t1.nii.gz", "M\u00fcller/t1.nii.gz"),
        ("a\\b.nii.gz", "a\\b.nii.gz"),
        ("M\u00fcller#2", "Mu\u0308ller#2"),
    ],
)
def test_a_path_may_be_written_as_on_another_system(tmp_path: Path, cell: str, there: str) -> None:
    file = tmp_path / there.partition("#")[0]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    (scan,) = listed(tmp_path, f"t1,mask\n{cell},away\\mask.nii\n").scans
    assert Path(scan.inputs["t1"]) == tmp_path / there
    # what is not there keeps its words
    assert scan.inputs["mask"] == str(tmp_path / "away\\mask.nii")


def test_thousands_of_rows_are_read_at_once(tmp_path: Path) -> None:
    rows = "".join(f"sub-{n:05d}/ses-1/t1.nii.gz,sub-{n:05d}/m.nii\n" for n in range(20_000))
    scans = listed(tmp_path, f"t1,mask\n{rows}").scans
    assert len({scan.name for scan in scans}) == 20_000 and scans[7].name == "sub-00007_ses-1_t1"


def test_a_name_never_leaves_its_folder() -> None:
    for text in ("../../etc", "a/b", "..", "a\\b", "\x00x", "con:1", "a" * 300, "\u202ea"):
        name = fit_name(text)
        assert not {"/", "\\", "\0", ":", "\u202e"} & set(name) and not name.startswith(".")
        assert len(name.encode()) <= 100 and fit_name(name) == name
