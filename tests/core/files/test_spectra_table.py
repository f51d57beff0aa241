from pathlib import Path

import numpy as np
import pytest

from core.errors import UserError
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
