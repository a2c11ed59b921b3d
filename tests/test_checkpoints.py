import os
import signal
import subprocess
import sys
import textwrap
import time

import chex
import jax
import jax.numpy as jnp
import pytest

from gumbel_gan.checkpoints import Checkpoints

STATE = {"step": jnp.int32(3), "key": jax.random.key(7), "weights": jnp.arange(6.0).reshape(2, 3)}


def test_a_state_comes_back_bit_for_bit_typed_keys_included(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest_step() is None
        checkpoints.save(3, STATE)
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest_step() == 3
        restored = checkpoints.restore(jax.eval_shape(lambda: STATE))
    assert jnp.array_equal(jax.random.key_data(restored.pop("key")), jax.random.key_data(STATE["key"]))
    chex.assert_trees_all_equal(restored, {name: leaf for name, leaf in STATE.items() if name != "key"})


def test_the_newest_is_kept_and_a_state_may_be_donated_after_saving(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        for step in (1, 2):
            state = {"weights": jnp.full(4, float(step))}
            checkpoints.save(step, state)
            jax.jit(lambda state: jax.tree.map(jnp.zeros_like, state), donate_argnums=0)(state)
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.latest_step() == 2
        chex.assert_trees_all_equal(checkpoints.restore({"weights": jnp.zeros(4)}), {"weights": jnp.full(4, 2.0)})


def test_an_empty_folder_is_named(tmp_path):
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(FileNotFoundError, match="no checkpoint in"):
        checkpoints.restore({"weights": jnp.zeros(4)})


def test_other_arrays_than_those_of_the_state_are_refused(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"weights": jnp.zeros(4)})
    for like in ({"kernel": jnp.zeros(4)}, {"weights": jnp.zeros(5)}):
        with Checkpoints(tmp_path) as checkpoints, pytest.raises(ValueError, match="holds others: it was written by"):
            checkpoints.restore(like)


def test_a_killed_writer_leaves_a_whole_checkpoint(tmp_path):
    program = """
        import sys, jax.numpy as jnp
        from gumbel_gan.checkpoints import Checkpoints
        with Checkpoints(sys.argv[1]) as checkpoints:
            for step in range(1, 10_000):
                checkpoints.save(step, {"weights": jnp.full(200_000, float(step))})
                print(step, flush=True)
    """
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    for line in writer.stdout:
        if int(line) == 4:
            break
    time.sleep(0.03)
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    with Checkpoints(tmp_path) as checkpoints:
        step = checkpoints.latest_step()
        assert step >= 3
        restored = checkpoints.restore({"weights": jnp.zeros(200_000)})
        chex.assert_trees_all_equal(restored, {"weights": jnp.full(200_000, float(step))})
