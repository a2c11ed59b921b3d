"""The example of the library inside a larger program: population-based training in one scan."""

from functools import partial

import jax
import numpy as np

import gumbel_gan as gg
from experiments.examples.population import train_population

SIZE, ROUNDS = 8, 4
TASK = gg.strings_task(["abc", "cab", "b", "cc", "a", "ab", "ba", "bb", "ca", "aa"], num_heldout=2)
MODEL = TASK.model(gg.lstm_generator(TASK.num_symbols, 4))


def test_the_best_replace_the_worst_in_one_program():
    settings = {"task": TASK, "model": MODEL, "size": SIZE, "steps_per_round": 5, "batch_size": 4}
    program = jax.jit(partial(train_population, num_rounds=ROUNDS, **settings))
    population, history = program(jax.random.key(1), exploits=True)
    _, alone = program(jax.random.key(1), exploits=False)
    assert program._cache_size() == 1
    assert np.isfinite(history.nll).all()
    for number in range(ROUNDS):
        order = np.argsort(history.nll[number])
        source = np.asarray(history.source[number])
        np.testing.assert_array_equal(source[order[:-2]], order[:-2])
        np.testing.assert_array_equal(source[order[-2:]], order[:2])
    rates = [*np.asarray(history.learning_rate), np.asarray(population.learning_rate)]
    for number in range(ROUNDS):
        ratio = rates[number + 1] / rates[number][history.source[number]]
        is_own = np.asarray(history.source[number]) == np.arange(SIZE)
        np.testing.assert_allclose(ratio[is_own], 1, rtol=1e-6)
        assert all(np.isclose(each, 0.8) or np.isclose(each, 1.25) for each in ratio[~is_own])
    # The whole state is copied. Original and copy are equal, because no training follows the last copy.
    last = np.asarray(history.source[-1])
    for leaf in jax.tree.leaves(population.state):
        np.testing.assert_array_equal(leaf, np.asarray(leaf)[last])
    assert (population.state.step == 5 * ROUNDS).all()

    np.testing.assert_array_equal(alone.nll[0], history.nll[0])
    assert (alone.learning_rate == alone.learning_rate[0][None]).all()
    assert np.median(history.nll[-1]) < np.median(alone.nll[-1])
