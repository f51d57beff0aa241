from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
from core.files.arrays import read_arrays
from core.files.spectra_table import read_table

COMMAS = "label,patient,X1000.5,1100 cm-1,1200\nlipid,p1,0.1,0.2,0.3\nprotein,p2,0.4,,0.6\n"


@pytest.mark.parametrize(
    "text",
    [COMMAS, "\ufeff" + COMMAS, COMMAS.replace(",", "\t"), COMMAS.replace("\n", "\r\n")],
    ids=["commas", "mark", "tabs", "windows"],
)
def test_spectra_with_labels_and_patients(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    found = read_table(path)
    np.testing.assert_array_equal(found["wavenumbers"], [1000.5, 1100, 1200])
    np.testing.assert_allclose(found["spectra"], [[0.1, 0.2, 0.3], [0.4, np.nan, 0.6]], rtol=1e-6)
    assert found["label"].tolist() == ["lipid", "protein"]
    assert found["patient"].tolist() == ["p1", "p2"]


def test_decimal_commas(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y;1000,5;1100\n0;0,1;0,2\n1;0,3;0,4\n")
    found = read_table(tmp_path / "a.csv")
    np.testing.assert_array_equal(found["wavenumbers"], [1000.5, 1100])
    np.testing.assert_allclose(found["spectra"], [[0.1, 0.2], [0.3, 0.4]], rtol=1e-6)
    np.testing.assert_array_equal(found["y"], [0, 1])


def test_a_header_of_three_lines_as_orange_writes_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("type,1000,1100\nd,c,c\nclass\nlipid,0.1,0.2\n")
    found = read_table(tmp_path / "a.csv")
    np.testing.assert_allclose(found["spectra"], [[0.1, 0.2]], rtol=1e-6)
    assert found["type"].tolist() == ["lipid"]


def test_the_answers_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,logit_0,logit_1,1000\n0,2.5,-1,0.1\n1,-3,0.5,0.2\n")
    found = read_table(tmp_path / "a.csv")
    np.testing.assert_array_equal(found["logits"], [[2.5, -1], [-3, 0.5]])
    assert found["spectra"].shape == (2, 1)


@pytest.mark.parametrize("text", ["label,a\nx,1\n", "label\nx\n", "just words"])
def test_a_table_needs_wavenumbers_and_rows(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UserError, match=r"no_wavenumbers|cube_unreadable"):
        read_table(tmp_path / "a.csv")


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,1000\n0," + "1" * 200_000 + "\n")
    with pytest.raises(UserError, match="cube_unreadable"):
        read_table(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("1000," * 200_000)
    with pytest.raises(UserError, match="cube_unreadable"):
        read_table(tmp_path / "b.csv")


AT = np.linspace(1000.0, 1700.0, 12)
TWO = np.array([np.sin(AT / 90), np.cos(AT / 70)])


def table(*rows: object, mark: str = ",") -> str:
    return "".join(mark.join(map(str, row)) + "\n" for row in rows)  # type: ignore[call-overload]


def in_rows(mark: str = ",", decimal: str = ".") -> str:
    def shown(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[str]:
        return [f"{value:.6f}".replace(".", decimal) for value in values]

    return table(["class", *shown(AT)], ["a", *shown(TWO[0])], ["b", *shown(TWO[1])], mark=mark)


ROWS = {
    "tabs with decimal commas": in_rows("\t", ",").encode(),
    "semicolons with decimal points": in_rows(";").encode(),
    "a stated separator": b"sep=;\n" + in_rows(";", ",").encode(),
    "utf-16": in_rows().encode("utf-16"),
    "utf-16 without a mark": in_rows("\t").encode("utf-16-le"),
    "comment lines": b"# made by a program\n# 2024\n\n" + in_rows().encode(),
    "blanks": in_rows(" ").encode(),
    "a separator at the end of each line": in_rows().replace("\n", ",\n").encode(),
    "quotes": in_rows().replace("class", '"class"').replace("a,", '"a",').encode(),
    "bars": in_rows("|").encode(),
    "old line ends": in_rows().replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_as_any_program_writes_them(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_bytes(ROWS[name])
    found = read_arrays(tmp_path / "a.csv")
    np.testing.assert_allclose(found["wavenumbers"], AT, rtol=1e-6)
    np.testing.assert_allclose(found["spectra"], TWO, atol=1e-6)
    assert found["class"].tolist() == ["a", "b"]


COLUMNS = {
    "two columns without names": table(*zip(AT, TWO[0], strict=True), mark="\t"),
    "two columns with names": table(["Wavenumber (cm-1)", "Absorbance"], *zip(AT, TWO[0], strict=True)),
    "falling": table(*zip(AT[::-1], TWO[0][::-1], strict=True)),
    "blanks": table(*zip(AT, TWO[0], strict=True), mark="  "),
    "comments and names in them": "# by a program\n# shift intensity\n"
    + table(*zip(AT, TWO[0], strict=True), mark=" "),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_one_spectrum_in_two_columns(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.dpt").write_text(COLUMNS[name])
    found = read_table(tmp_path / "a.dpt")
    order = np.argsort(found["wavenumbers"])
    np.testing.assert_allclose(found["wavenumbers"][order], AT)
    np.testing.assert_allclose(found["spectra"][0][order], TWO[0], atol=1e-6)


def test_spectra_in_columns_with_what_describes_them(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        table(["Raman shift /cm-1", 1, 2], ["class", "x", ""], ["patient", "p1", "p2"], *zip(AT, *TWO, strict=True))
    )
    found = read_table(tmp_path / "a.csv")
    np.testing.assert_allclose(found["spectra"], TWO, atol=1e-6)
    assert str(found["axis"]) == "Raman shift /cm-1"
    assert found["class"].tolist() == ["x", ""] and found["patient"].tolist() == ["p1", "p2"]


def test_the_first_spectrum_of_a_table_without_names_is_no_axis(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(*TWO, *TWO[::-1]))
    found = read_table(tmp_path / "a.csv")
    assert found["spectra"].shape == (4, 12) and "wavenumbers" not in found
    (tmp_path / "b.csv").write_text(table([*TWO[0], "tumour"], [*TWO[1], "normal"]))
    found = read_table(tmp_path / "b.csv")
    np.testing.assert_allclose(found["spectra"], TWO, rtol=1e-6)
    assert found["column 13"].tolist() == ["tumour", "normal"]
    (tmp_path / "c.csv").write_text(table(AT, *TWO))
    np.testing.assert_allclose(read_table(tmp_path / "c.csv")["wavenumbers"], AT)


def test_a_map_with_its_places_first_as_labspec_writes_it(tmp_path: Path) -> None:
    text = table(["", "", *AT], [1, 4, *TWO[0]], [1, 7, *TWO[1]], mark="\t")
    (tmp_path / "a.xyz").write_text(text)
    found = read_table(tmp_path / "a.xyz")
    np.testing.assert_allclose(found["wavenumbers"], AT)
    np.testing.assert_allclose(found["spectra"], TWO, rtol=1e-6)


def test_a_map_of_one_number_a_line_as_wire_writes_it(tmp_path: Path) -> None:
    rows = [(x, 5, shift, TWO[x, band]) for x in (0, 1) for band, shift in enumerate(AT)]
    (tmp_path / "a.txt").write_text(table(["#X", "#Y", "#Wave", "#Intensity"], *rows, mark="\t"))
    found = read_table(tmp_path / "a.txt")
    np.testing.assert_allclose(found["spectra"], TWO, rtol=1e-6)
    assert found["x"].tolist() == [0, 1] and found["y"].tolist() == [5, 5]


@pytest.mark.parametrize(
    ("names", "positions", "unit"),
    [
        (["0", "1", "2", "3"], [0, 1, 2, 3], ""),
        (["-100", "0", "100", "200"], [-100, 0, 100, 200], ""),
        (["X.100", "X0", "X100", "X200"], [-100, 0, 100, 200], ""),
        (["5.5 um", "6 um", "6.5 um", "7 um"], [5.5, 6, 6.5, 7], "um"),
        (["nm_5500", "nm_6000", "nm_6500", "nm_7000"], [5500, 6000, 6500, 7000], "nm"),
        (["1000 (cm-1)", "1100 (cm-1)", "1200 (cm-1)", "1300 (cm-1)"], [1000, 1100, 1200, 1300], "cm-1"),
    ],
)
def test_positions_as_columns_are_named(tmp_path: Path, names: list[str], positions: list[float], unit: str) -> None:
    (tmp_path / "a.csv").write_text(table(["class", *names], ["a", 1, 2, 3, 4], ["b", 5, 6, 7, 8.5]))
    found = read_table(tmp_path / "a.csv")
    assert found["wavenumbers"].tolist() == positions
    assert str(found["axis"]) == unit
    assert found["spectra"].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8.5]]


def test_a_number_for_a_name_is_not_always_a_band(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(["class", "2019", *AT, "7"], ["a", 3, *TWO[0], 4], ["b", 5, *TWO[1], 6]))
    found = read_table(tmp_path / "a.csv")
    np.testing.assert_allclose(found["wavenumbers"], AT)
    assert found["7"].tolist() == [4, 6] and found["2019"].tolist() == [3, 5]
    assert "2019" in str(found["notices"][0])


def test_missing_cells_and_blank_labels(tmp_path: Path) -> None:
    text = table(["class", *AT], ["a", *TWO[0]], ["NA", *TWO[1]], ["", *["N/A"] * 12])
    (tmp_path / "a.csv").write_text(text)
    found = read_table(tmp_path / "a.csv")
    assert found["class"].tolist() == ["a", "", ""]
    assert np.isnan(found["spectra"][2]).all() and np.isfinite(found["spectra"][:2]).all()


def test_a_column_does_not_take_the_place_of_the_spectra(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(["unit", "ir", *AT], ["a", 1, *TWO[0]], ["b", 2, *TWO[1]]))
    found = read_table(tmp_path / "a.csv")
    assert found["unit (column)"].tolist() == ["a", "b"] and "ir" not in found
