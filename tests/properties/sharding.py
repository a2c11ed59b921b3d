"""Test cases for sharding seeds and data over devices."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import strategies as st

from gumbel_gan import sharding
from tests.properties import strategies as s
from tests.properties.case import Case, arguments, has, is_a

MESH = sharding.seeds_mesh(2)

_MESHES = st.sampled_from((MESH, sharding.seeds_mesh(1), sharding.seeds_mesh(1, 2)))
_NOT_MESHES = st.sampled_from((None, 2, "seeds", jax.sharding.Mesh(np.array(jax.devices()), ("seeds",))))
_SEEDS = st.sampled_from((2, 4)).map(lambda num: jax.random.split(jax.random.key(0), num))
_NOT_SEEDS = st.sampled_from((None, 3, "keys", np.zeros((2, 2), np.uint32), jnp.zeros(2))) | st.sampled_from(
    ((), (0,), (2, 1))
).map(lambda shape: jax.random.split(jax.random.key(0), shape))
_NOT_FUNCTIONS = st.sampled_from((None, 3, "init"))
_FEW = {"num_examples": 8}


def draw(key):
    return {"weights": jax.random.normal(key, (3,))}


def _is_none(result, given):
    assert result is None


def under_shards(axis, tree):
    return jax.vmap(lambda _: sharding.mean_over(axis, tree), axis_name=sharding.SHARDS)(jnp.zeros(2))


CASES = {
    "sharding.seeds_mesh": Case(
        sharding.seeds_mesh,
        arguments(num_seeds=s.integers(1, 3), num_shards=s.integers(1, 2)),
        {"num_seeds": s.integers_below(1), "num_shards": s.integers_below(1), "devices": st.just([])},
        is_a(jax.sharding.Mesh),
    ),
    "sharding.shard_axis": Case(
        sharding.shard_axis,
        arguments(num_shards=s.integers(1, 3)),
        {"num_shards": s.integers_below(1)},
        lambda result, given: None,
    ),
    **{
        f"sharding.{function.__name__}": Case(
            function, arguments(mesh=_MESHES), {"mesh": _NOT_MESHES}, is_a(jax.sharding.NamedSharding), **_FEW
        )
        for function in (sharding.seeds_sharding, sharding.batches_sharding, sharding.replicated)
    },
    "sharding.init_seeds": Case(
        sharding.init_seeds,
        arguments(init=st.just(draw), keys=_SEEDS, mesh=_MESHES),
        {
            "init": _NOT_FUNCTIONS,
            "keys": _NOT_SEEDS,
            "mesh": _NOT_MESHES,
        },
        lambda result, given: has(lambda _: (len(given["keys"]), 3), lambda _: jnp.float32)(result["weights"], given),
        **_FEW,
    ),
    "sharding.compile_init": Case(
        sharding.compile_init,
        arguments(init=st.just(draw), keys=_SEEDS, mesh=_MESHES),
        {"init": _NOT_FUNCTIONS, "keys": _NOT_SEEDS, "mesh": _NOT_MESHES},
        _is_none,
        **_FEW,
    ),
    "sharding.seeds_types": Case(
        sharding.seeds_types,
        arguments(init=st.just(draw), keys=_SEEDS),
        {"init": _NOT_FUNCTIONS, "keys": _NOT_SEEDS},
        lambda result, given: has(lambda _: (len(given["keys"]), 3), lambda _: jnp.float32)(result["weights"], given),
        **_FEW,
    ),
    "sharding.vmap_seeds": Case(
        lambda function, mesh, **settings: sharding.vmap_seeds(function, mesh, **settings),
        arguments(
            function=st.just(lambda first, second: first + second),
            mesh=st.just(MESH),
            in_axes=st.sampled_from(((0, 0), [0, None], (None, 0))),
            num_shards=s.integers(1, 2),
        ),
        {
            "function": _NOT_FUNCTIONS,
            "mesh": _NOT_MESHES,
            "in_axes": st.sampled_from((None, 0, "00", (), (None,), (1, 0), (0, False), (0.0,), ((0,),))),
            "num_shards": s.integers_below(1),
        },
        lambda result, given: jax.eval_shape(
            result, *(jnp.zeros(2) if axis == 0 else jnp.zeros(()) for axis in given["in_axes"])
        ),
    ),
    "sharding.map_parts": Case(
        lambda function, mesh, in_axes: sharding.map_parts(function, mesh, in_axes=in_axes),
        arguments(
            function=st.just(lambda part, first, second: (first + second + part)[None]),
            mesh=st.just(MESH),
            in_axes=st.sampled_from(((0, 0), [0, None], (None, 0))),
        ),
        {
            "function": _NOT_FUNCTIONS,
            "mesh": _NOT_MESHES,
            "in_axes": st.sampled_from((None, 0, "00", (1, 0), (0, False), (0.0,), ((0,),))),
        },
        lambda result, given: jax.eval_shape(
            result, *(jnp.zeros(2) if axis == 0 else jnp.zeros(()) for axis in given["in_axes"])
        ),
        **_FEW,
    ),
    "sharding.place": Case(
        sharding.place,
        arguments(
            tree=st.sampled_from(({"a": np.ones(2), "b": (jnp.zeros((4, 2)),)}, ())),
            sharding=st.just(sharding.seeds_sharding(MESH)),
        ),
        {"sharding": st.sampled_from((None, 3, "seeds", MESH))},
        lambda result, given: jax.tree.map(np.testing.assert_array_equal, result, given["tree"]),
        **_FEW,
    ),
    "sharding.gather": Case(
        sharding.gather,
        arguments(tree=st.sampled_from(({"a": np.ones(2), "b": (jnp.zeros((4, 2)),)}, ()))),
        {},
        lambda result, given: jax.tree.map(np.testing.assert_array_equal, result, given["tree"]),
        **_FEW,
    ),
    "sharding.mean_over": Case(
        under_shards,
        arguments(
            axis=st.sampled_from((None, sharding.SHARDS)),
            tree=st.sampled_from(({"a": jnp.ones(2), "b": (jnp.zeros((1, 2)), 1.0)}, jnp.ones((), jnp.bfloat16), ())),
        ),
        {"axis": st.sampled_from(("seeds", 3, ("shards",)))},
        lambda result, given: None,
        {"tree": st.sampled_from((jnp.arange(2), {"a": jnp.ones(2), "b": 1}, "text", object()))},
        **_FEW,
    ),
}
