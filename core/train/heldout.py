"""Who is never learnt from, so that results can be measured on them."""

from __future__ import annotations

# healthy subjects of OASIS-1 in train/malf_nc
HEALTHY = ("1015", "1017", "1018", "1019", "1036")
# healthy subjects of another site, in train/ds002748/validation
OTHER_SITE = ("08", "20", "32", "44", "56", "68")
OTHER_SITE_SOURCE = "ds002748"
# all of them by the names that the bench gives them
VALIDATION = (*HEALTHY, *(f"{OTHER_SITE_SOURCE}-{number}" for number in OTHER_SITE))
# the tumour subject of BraTS 2018 in train/brats18
TUMOUR = "Brats18_TCIA01_499_1"
# gliomas of train/brats18 that no inpainting network learns from: their T1s were resampled from thick slices
GLIOMAS = (
    TUMOUR,
    "Brats18_TCIA01_201_1",
    "Brats18_TCIA01_378_1",
    "Brats18_TCIA01_425_1",
    "Brats18_TCIA02_135_1",
    "Brats18_TCIA02_606_1",
    "Brats18_TCIA03_265_1",
    "Brats18_TCIA10_628_1",
    "Brats18_TCIA10_637_1",
    "Brats18_TCIA13_623_1",
)
# gliomas that no network learns from and no table is made of: translation is chosen and calibrated on them
APART = ("glioma-a", "glioma-b")
