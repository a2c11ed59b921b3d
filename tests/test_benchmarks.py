import json
import os
import re
import subprocess
import sys

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.benchmarks import flax_networks, jax_step, timing
from experiments.benchmarks.timing import Program, Sizes, Spread
from tests import flax_lstm

pytestmark = pytest.mark.slow


def test_programs_take_turns():
    calls = []
    programs = {name: Program(lambda name=name: calls.append(name), 5) for name in "ab"}
    lines = []
    taken = timing.take_turns(programs, num_rounds=3, seconds=0.0, report=lines.append)
    # Each program runs once to warm up and once to be timed. Then the programs take turns.
    assert "".join(calls) == "aabb" + "ab" * 3
    assert {name: values.shape for name, values in taken.items()} == {"a": (3,), "b": (3,)}
    assert lines == ["round 1 of 3", "round 2 of 3", "round 3 of 3"]


def test_a_spread_is_the_median_and_the_extremes():
    assert Spread.of([3.0, 1.0, 10.0]) == Spread(3.0, 1.0, 10.0)


def test_operations_are_counted_as_by_hand():
    # With two symbols and one unit, a step has 4 products from state to gates, 8 from the symbol, 4 from the start
    # symbol and 2 in the head. Generator: (4 + 8 + 4 + 2) three times. Discriminator: twice 3 * 4 + 2 * 8, and
    # 2 * 4 + 2 * 8.
    assert jax_step.flops(Sizes(batch_size=1, length=1, num_symbols=2, hidden_size=1)) == 2 * (54 + 56 + 24)
    one, many = (jax_step.flops(Sizes(batch_size, length, 5, 7)) for batch_size, length in ((1, 1), (6, 3)))
    assert many == 18 * one


def test_the_peak_is_measured_by_a_matrix_product():
    program, flops = timing.matrix_multiply(size=8)
    program.run()
    assert flops == 2 * 8**3


@pytest.mark.parametrize("num_shards", [1, 2])
def test_the_scanned_step_runs(num_shards):
    compiled = jax_step.scanned(Sizes(4, 3, 3, 3), num_seeds=1, num_shards=num_shards)
    for _ in range(2):
        compiled.program.run()
    assert compiled.program.num_steps > 1


def as_flax_names_them(params):
    """Returns the weights of a network with an `LSTMCell` in the layout of Flax's cell."""
    weights = params["params"]
    return {
        "params": {
            "OptimizedLSTMCell_0": flax_lstm.params(**weights["LSTMCell_0"]),
            "Dense_0": weights["Dense_0"],
        }
    }


def test_flax_s_networks_are_the_same_networks():
    sizes = Sizes(batch_size=4, length=3, num_symbols=3, hidden_size=5)
    (generator, discriminator), (flax_generator, flax_discriminator) = (
        make(sizes) for make in (jax_step.own_networks, flax_networks.make)
    )
    key, params = jax.random.key(0), generator.init(jax.random.key(1))
    latent, flax_latent = (network.sample_latent(jax.random.key(2), 4) for network in (generator, flax_generator))
    chex.assert_trees_all_equal(latent, flax_latent)
    assert jnp.std(latent[0]) > 0.5
    carry = flax_generator.initial_carry(as_flax_names_them(params), 4, 3, latent=latent)
    x = jnp.eye(4)
    stepped = generator.step(params, carry, x)
    chex.assert_trees_all_close(stepped, flax_generator.step(as_flax_names_them(params), carry, x), atol=1e-5)
    params, x = discriminator.init(key), jax.random.uniform(jax.random.key(3), (4, 3, 3))
    logits = flax_discriminator.logits(as_flax_names_them(params), x)
    np.testing.assert_allclose(discriminator.logits(params, x), logits, atol=1e-5)
    jax_step.scanned(sizes, networks=flax_networks.make).program.run()


def test_sampling_is_timed_at_every_length_and_in_both_ways(tmp_path):
    command = [sys.executable, "-m", "experiments.benchmarks.sampling", "--num_rounds=1", "--seconds=0.01"]
    command += ["--length=2", f"--output={tmp_path / 'sampling.json'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "sampling.json").read_text())["lengths"]["2"]
    assert len(rows) == 4
    assert rows["in one pass, transformer"]["ratio"]["median"] == 1.0
    assert all(row["sequences_a_second"]["least"] > 0 for row in rows.values())


def test_both_ways_to_a_reward_from_the_host_are_timed(tmp_path):
    command = [sys.executable, "-m", "experiments.benchmarks.host_reward", "--seconds=0.01"]
    done = subprocess.run([*command, f"--output={tmp_path / 'own.json'}"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "own.json").read_text())["milliseconds_a_step"]
    assert len(found) == 2
    assert all(0 < each["least"] <= each["median"] for each in found.values())


def test_a_missing_extra_is_named(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('there is none')")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "experiments.benchmarks.step"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 1
    assert done.stderr == ("error: the benchmark needs the extra 'bench' (pip install -e '.[bench]'): there is none\n")


def test_the_time_to_quality_is_that_of_the_front_door(tmp_path):
    command = [sys.executable, "-m", "experiments.benchmarks.time_to_quality", "--num_seeds=1", "--validity=0"]
    command += ["--kl=1e9", "--experiment=experiments/configs/quicktest.py", f"--output={tmp_path / 'times.json'}"]
    # An existing file of figures is overwritten.
    (tmp_path / "times.json").write_text("{}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search("1 of 1 seeds reached", done.stdout)
    (row,) = json.loads((tmp_path / "times.json").read_text())["seeds"]
    assert 0 < row["first_metrics"] == row["quality"] < row["end"]
    assert np.isfinite(row["end"])
