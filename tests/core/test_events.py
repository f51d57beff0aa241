from collections.abc import Generator

from core.events import changed, finish


def counting() -> Generator[int, None, str]:
    yield from (1, 2, 3)
    return "end"


def test_what_is_yielded_is_changed_and_the_value_is_kept() -> None:
    seen: list[int] = []

    def through() -> Generator[int, None, str]:
        return (yield from changed(counting(), lambda step: 10 * step))

    steps = through()
    seen.extend(next(steps) for _ in range(3))
    assert seen == [10, 20, 30]
    assert finish(steps) == "end"
