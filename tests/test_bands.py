import numpy as np
import pytest

from experiments.reports.bands import band, failure_rate, numbers


def test_a_band_is_made_of_order_statistics():
    over_seeds = band(np.array([[5.0, 1.0, 4.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0, 10.0]]))
    np.testing.assert_array_equal(over_seeds.median, [3, 0])
    np.testing.assert_array_equal(over_seeds.lower, [2, 0])
    np.testing.assert_array_equal(over_seeds.upper, [4, 0])
    np.testing.assert_array_equal(over_seeds.least, [1, 0])
    np.testing.assert_array_equal(over_seeds.greatest, [5, 10])


def test_an_infinite_seed_takes_its_place_in_the_band():
    over_seeds = band(np.array([1.0, 2.0, 3.0, np.inf]))
    assert over_seeds.median == 2.5
    assert over_seeds.upper == np.inf
    assert over_seeds.greatest == np.inf
    assert over_seeds.lower == 1.75
    assert band(np.array([1.0, 2.0, np.inf])).median == 2.0
    assert band(np.array([1.0, 2.0, 3.0, 4.0, np.inf])).upper == 4.0


def test_the_worst_validity_takes_its_place_too():
    for values in ([-np.inf, 0.5], [-np.inf, 0.5, 0.6, 0.7], [-np.inf, -np.inf, 0.7], [-np.inf, np.inf]):
        over_seeds = band(np.array(values))
        order = (over_seeds.least, over_seeds.lower, over_seeds.median, over_seeds.upper, over_seeds.greatest)
        assert list(order) == sorted(order)
    assert band(np.array([-np.inf, 0.5])).lower == -np.inf


def test_what_is_no_number_is_left_out():
    over_seeds = band(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]]))
    np.testing.assert_array_equal(over_seeds.median, [2.0, np.nan])
    np.testing.assert_array_equal(over_seeds.greatest, [3.0, np.nan])


def test_the_failure_rate_counts_seeds_that_are_mostly_invalid_or_no_number():
    assert failure_rate([0.99, 0.5, 0.49, None]) == 0.5
    assert failure_rate([0.7]) == 0.0


@pytest.mark.parametrize(("name", "worst"), [("sampled_validity", -np.inf), ("kl_data_model", np.inf)])
def test_what_json_can_not_hold_is_the_worst(name, worst):
    np.testing.assert_array_equal(numbers([1.0, None], name), [1.0, worst])
