import numpy as np

from pipeline.bench.apart import apart, peak_megabytes

MEGABYTE = 1_000_000


def filled(megabytes: int) -> int:
    return int(np.ones(megabytes * MEGABYTE, dtype=np.int8).sum())


def test_the_peak_is_of_the_process_apart_and_not_of_the_one_that_started_it() -> None:
    here = np.ones(900 * MEGABYTE, dtype=np.int8)
    assert peak_megabytes() > 900
    found, small = apart(filled, 1)
    assert found == MEGABYTE
    _, large = apart(filled, 400)
    assert small < 500
    assert 350 < large - small < 450
    assert here.nbytes == 900 * MEGABYTE
