"""How long an HTTP answer asks to wait."""

from datetime import datetime

import pytest

from pipeline.retry_after import seconds_to_wait

NOW = datetime(2026, 4, 2, 6, 4)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Thu, 02 Apr 2026 06:04:13 GMT", 13.0),
        ("Thu, 02 Apr 2026 08:04:13 +0200", 13.0),
        ("Thu, 02 Apr 2026 06:04:13 -0000", 13.0),
        ("Thu, 02 Apr 2026 06:03:00 GMT", 0.0),
        ("Thu, 02 Apr 99999999999 06:04:13 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_number_and_a_date_are_read_and_anything_else_says_nothing(value: str, seconds: float | None) -> None:
    assert seconds_to_wait(value, NOW) == seconds
