import collections
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
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


def test_arrays_of_one_name_are_named(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        with pytest.raises(ValueError, match=r"paths of arrays must differ .*, got two of 'a\.b'"):
            checkpoints.save(1, {"a.b": jnp.zeros(2), "a": {"b": jnp.ones(2)}})
        assert checkpoints.steps() == []


def test_what_is_read_waits_for_the_save_in_the_background(tmp_path):
    state = {"weights": jnp.ones(200_000)}
    with Checkpoints(tmp_path, items=["best"]) as checkpoints:
        checkpoints.save(1, state, note={"a": 1}, best=state)
        assert checkpoints.holds("best")
        checkpoints.save(2, state, note={"a": 2})
        assert checkpoints.note() == {"a": 2}
        checkpoints.save(3, state, note={"a": 3})
        assert not checkpoints.lacks_one()
        assert checkpoints.note(2) == {"a": 2}


def test_an_empty_folder_is_named(tmp_path):
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(FileNotFoundError, match="no checkpoint in"):
        checkpoints.restore({"weights": jnp.zeros(4)})


OTHERS = {
    "another dtype": (
        STATE | {"weights": jnp.zeros((2, 3), jnp.bfloat16)},
        "weights must be bfloat16[2, 3], got float32",
    ),
    "another integer type": (STATE | {"step": jnp.uint32(0)}, "step must be uint32[], got int32[]"),
    "another shape": (STATE | {"weights": jnp.zeros((3, 2))}, "weights must be float32[3, 2], got float32[2, 3]"),
    "another rank": (STATE | {"weights": jnp.zeros(6)}, "weights must be float32[6], got float32[2, 3]"),
    "more": (STATE | {"more": [jnp.zeros(1)]}, "more.0 must be float32[1], got nothing"),
    "less": ({"step": STATE["step"], "key": STATE["key"]}, "weights must be absent, got float32[2, 3]"),
    "a nested one": (STATE | {"weights": {"a": jnp.zeros(1)}}, "weights must be absent, got float32[2, 3]"),
    "data for a key": (STATE | {"key": jnp.zeros(2, jnp.uint32)}, "key must be uint32[2], got key<fry>[]"),
    "a key of another kind": (STATE | {"key": jax.random.key(0, impl="rbg")}, "key must be uint32[4], got uint32[2]"),
}


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_other_arrays_than_those_of_the_state_are_named(name, tmp_path):
    like, message = OTHERS[name]
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, STATE)
        message = f"must hold the arrays of this state; {message}"
        with pytest.raises(ValueError, match=re.escape(message) + ".*it was written by another version"):
            checkpoints.restore(like)


def test_a_key_for_data_is_named(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, {"data": jnp.zeros(2, jnp.uint32)})
        with pytest.raises(ValueError, match=re.escape("data must be key<fry>[], got uint32[2]")):
            checkpoints.restore({"data": jax.random.key(0)})


@pytest.mark.parametrize("step", [5, 4, 0])
def test_a_step_that_is_not_after_the_newest_is_refused(step, tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(5, STATE)
        with pytest.raises(ValueError, match=f"step must be larger than that of the newest checkpoint, 5, got {step}"):
            checkpoints.save(step, STATE)
    with Checkpoints(tmp_path) as checkpoints:
        with pytest.raises(ValueError, match="step must be larger than that of the newest checkpoint, 5"):
            checkpoints.save(step, STATE)
        checkpoints.save(6, STATE)
        assert checkpoints.latest_step() == 6


def test_a_step_must_be_a_count(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        for step in (1.0, True, "1"):
            with pytest.raises(TypeError, match="step must be an integer, got"):
                checkpoints.save(step, STATE)
        with pytest.raises(ValueError, match="step must be at least 0, got -1"):
            checkpoints.save(-1, STATE)
        checkpoints.save(np.int64(0), STATE)
        assert checkpoints.latest_step() == 0


class Nested(NamedTuple):
    params: dict
    opt_state: optax.OptState


def test_a_state_may_have_gained_a_field_that_is_none(tmp_path):
    older = collections.namedtuple("State", "step params")(jnp.int32(3), {"w": jnp.ones(2)})
    newer = collections.namedtuple("State", "step params average")(jnp.int32(0), {"w": jnp.zeros(2)}, None)
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(3, older)
        restored = checkpoints.restore(newer)
    assert restored.average is None
    assert int(restored.step) == 3
    np.testing.assert_array_equal(restored.params["w"], 1)


def test_a_nested_state_is_restored_to_its_structure_and_sharding(tmp_path):
    params = {"cell": {"kernel": jnp.ones((4, 3), jnp.bfloat16)}, "layers": [jnp.ones(4), (jnp.zeros(4), None)]}
    state = Nested(params, optax.chain(optax.clip(1.0), optax.adam(1e-3)).init(params))
    mesh = jax.make_mesh((2,), ("seeds",), axis_types=(jax.sharding.AxisType.Auto,))
    over_devices = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, state)
        restored = checkpoints.restore(jax.eval_shape(lambda: state), over_devices)
        on_host = checkpoints.restore(jax.tree.map(np.asarray, state))
    chex.assert_trees_all_equal(restored, state)
    chex.assert_trees_all_equal(on_host, state)
    assert {leaf.sharding for leaf in jax.tree.leaves(restored)} == {over_devices}
    assert isinstance(restored, Nested)


def test_a_state_of_float64_is_restored_as_such_under_x64(tmp_path):
    with jax.enable_x64(True), Checkpoints(tmp_path) as checkpoints:
        state = {"wide": jnp.arange(3, dtype=jnp.float64) / 3, "count": jnp.arange(3, dtype=jnp.int64)}
        checkpoints.save(1, state)
        chex.assert_trees_all_equal(checkpoints.restore(state), state)
        with pytest.raises(ValueError, match=re.escape("wide must be float32[3], got float64[3]")):
            checkpoints.restore(state | {"wide": jnp.zeros(3, jnp.float32)})


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
