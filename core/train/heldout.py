"""Who is never learnt from, so that results can be measured on them."""

from __future__ import annotations

# healthy subjects of OASIS-1 in train/malf_nc
HEALTHY = ("1015", "1017", "1018", "1019", "1036")
# the tumour subject of BraTS 2018 in train/brats18
TUMOUR = "Brats18_TCIA01_499_1"
