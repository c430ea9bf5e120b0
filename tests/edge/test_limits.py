"""Token buckets, at times that the test says."""

import pytest

from server.edge.limits import Buckets, network


def test_so_many_at_once_and_then_one_in_each_such_time() -> None:
    buckets = Buckets(burst=3, every_s=10)
    assert [buckets.take("a", 100.0) for _ in range(4)] == [0, 0, 0, 10]
    assert buckets.wait_s("a", 104.0) == 6
    assert [buckets.take("a", 110.0) for _ in range(2)] == [0, 10]
    assert [buckets.take("a", 1000.0) for _ in range(4)] == [0, 0, 0, 10]


def test_one_does_not_take_from_another_and_a_refilled_one_is_full() -> None:
    buckets = Buckets(burst=1, every_s=10)
    assert buckets.take("a", 0.0) == 0
    assert buckets.take("b", 0.0) == 0
    assert buckets.take("a", 0.0) == 10
    buckets.refill("a")
    assert buckets.take("a", 0.0) == 0
    buckets.refill("never seen")


def test_memory_is_bounded_and_who_took_last_is_remembered() -> None:
    buckets = Buckets(burst=1, every_s=1e9, max_keys=100)
    for number in range(1000):
        assert buckets.take(number, 0.0) == 0
    assert buckets.take(999, 0.0) > 0
    assert buckets.take(0, 0.0) == 0
    assert len(buckets) <= 100


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_a_home_is_one_network(address: str, whose: str) -> None:
    assert network(address) == whose
