import numpy as np

from core.train.appearance import bias, blurred, curve, resliced


def test_curves_rise_and_keep_nothing_and_the_brightest_tissue_in_place() -> None:
    values = np.linspace(0, 1.6, 300, dtype=np.float32)
    bends = []
    for seed in range(20):
        bent = curve(np.random.default_rng(seed))(values)
        assert np.all(np.diff(bent) > 0)
        assert bent[0] == 0 and abs(np.interp(1.0, values, bent) - 1) < 1e-3
        bends.append(np.abs(bent - values)[values <= 1].max())
    assert max(bends) > 0.1 and min(bends) < 0.1


def test_a_bias_field_is_smooth_and_small() -> None:
    places = np.stack(np.meshgrid(*[np.arange(-32.0, 32.0)] * 3, indexing="ij"))
    for seed in range(10):
        gain = bias(np.random.default_rng(seed))(places)
        assert gain.shape == (64, 64, 64) and gain.min() >= 0.6 and gain.max() <= 1.7
        assert np.abs(np.diff(gain, axis=0)).max() < 0.03
    assert gain.std() > 0


def test_thick_slices_take_detail_away_along_one_axis_alone() -> None:
    noise = np.random.default_rng(0).normal(size=(40, 40, 40)).astype(np.float32)
    axes = set()
    for seed in range(20):
        thick = resliced(np.random.default_rng(seed), 40)(noise)
        left = np.array([np.diff(thick, axis=axis).std() / np.diff(noise, axis=axis).std() for axis in range(3)])
        share = left / thick.std()
        lost = int(np.argmin(share))
        assert share[lost] < 0.75 * np.sort(share)[1]
        axes.add(lost)
    assert axes == {0, 1, 2}


def test_a_flat_image_stays_flat() -> None:
    flat = np.full((32, 32, 32), 0.5, np.float32)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        np.testing.assert_allclose(resliced(rng, 32)(flat), 0.5, atol=1e-4)
        np.testing.assert_allclose(blurred(rng)(flat), 0.5, atol=1e-4)
