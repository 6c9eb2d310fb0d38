"""Names that may be numbers are in the order in which people expect them."""

from itertools import permutations

from pipeline.reports.natural import natural_key


def test_numbers_are_by_size_before_texts_whatever_the_order_they_come_in() -> None:
    expected = ["-1", "0", "2", "10", "US", "nan"]
    for names in permutations(expected):
        assert sorted(names, key=natural_key) == expected
