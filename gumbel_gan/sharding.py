"""Placement of seeds, and of the data shards of a batch, on devices.

Seeds are independent, so each device trains its share of them with its own program. The data shards of a batch average
their gradients once per network and step. On a CPU, `jax_num_cpu_devices` sets the number of devices, such as one per
core. On accelerators the code is the same. If several processes run one program, after `jax.distributed.initialize`, a
mesh holds the devices of all processes: with `place` each process fills its own devices, and `gather` returns results
to all processes.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils
from jax.flatten_util import ravel_pytree
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from gumbel_gan.arguments import require_at_least, require_callable, require_kind

SHARDS = "shards"
_SEEDS = "seeds"


def seeds_mesh(num_seeds: int, num_shards: int = 1, devices: Sequence[jax.Device] | None = None) -> Mesh:
    """Builds a mesh that spreads seeds over devices, and the data shards of their batches over the remaining devices.

    Seeds are divided evenly among as many devices as possible. If there are `num_shards` times as many devices, each
    shard has its own device; otherwise the shards of a seed share one device.

    Args:
      num_seeds: S, size of the axis of seeds, at least 1.
      num_shards: number of data shards of a batch, at least 1.
      devices: the devices to choose from, in order; None: `jax.devices()`.

    Returns:
      A mesh with the axes 'seeds' and 'shards'.

    Raises:
      TypeError: `num_seeds` or `num_shards` is not an integer.
      ValueError: `num_seeds` or `num_shards` is less than 1, or there are no devices.
    """
    devices = jax.devices() if devices is None else devices
    require_at_least(1, num_seeds=num_seeds, num_shards=num_shards)
    if not devices:
        raise ValueError("devices must hold at least one device, got none")
    seeds = max(num for num in range(1, min(num_seeds, len(devices)) + 1) if num_seeds % num == 0)
    shards = num_shards if seeds * num_shards <= len(devices) else 1
    grid = np.array(devices[: seeds * shards]).reshape(seeds, shards)
    return Mesh(grid, (_SEEDS, SHARDS), axis_types=(AxisType.Auto, AxisType.Auto))


def shard_axis(num_shards: int) -> str | None:
    """Returns the name of the axis of data shards, for `training.train` and algorithms; None if there is one shard.

    Raises:
      TypeError: `num_shards` is not an integer.
      ValueError: `num_shards` is less than 1.
    """
    require_at_least(1, num_shards=num_shards)
    return SHARDS if num_shards > 1 else None


def seeds_sharding(mesh: Mesh) -> NamedSharding:
    """Returns the sharding of arrays with a leading axis of seeds.

    Raises:
      TypeError: `mesh` is not a `Mesh`.
      ValueError: `mesh` does not have the axes of `seeds_mesh`.
    """
    _check_mesh(mesh)
    return NamedSharding(mesh, PartitionSpec(_SEEDS))


def batches_sharding(mesh: Mesh) -> NamedSharding:
    """Returns the sharding of arrays with leading axes of seeds and of data shards.

    Raises:
      TypeError: `mesh` is not a `Mesh`.
      ValueError: `mesh` does not have the axes of `seeds_mesh`.
    """
    _check_mesh(mesh)
    return NamedSharding(mesh, PartitionSpec(_SEEDS, SHARDS))


def replicated(mesh: Mesh) -> NamedSharding:
    """Returns the sharding of arrays that all seeds share, such as the data.

    Raises:
      TypeError: `mesh` is not a `Mesh`.
      ValueError: `mesh` does not have the axes of `seeds_mesh`.
    """
    _check_mesh(mesh)
    return NamedSharding(mesh, PartitionSpec())


def place(tree: Any, sharding: NamedSharding) -> Any:
    """Places arrays according to a sharding, also over several processes, each of which holds the whole arrays.

    Each process copies the parts for its own devices, without communication.

    Args:
      tree: a pytree of JAX or NumPy arrays and typed keys, the same in all processes; or of arrays that are already
        spread over the processes.
      sharding: the sharding of all leaves.

    Returns:
      The pytree of JAX arrays with this sharding.

    Raises:
      TypeError: `sharding` is not a `NamedSharding`.
    """
    require_kind(NamedSharding, sharding=sharding)
    return jax.tree.map(functools.partial(_place, sharding=sharding), tree)


def _place(leaf: Any, sharding: NamedSharding) -> jax.Array:
    is_spread = isinstance(leaf, jax.Array) and not leaf.is_fully_addressable
    if sharding.is_fully_addressable or is_spread:
        return jax.device_put(leaf, sharding)
    if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(_place(jax.random.key_data(leaf), sharding), impl=jax.random.key_impl(leaf))
    values = np.asarray(leaf)
    return jax.make_array_from_callback(values.shape, sharding, lambda index: values[index])


def gather(tree: Any) -> Any:
    """Returns arrays as NumPy arrays in every process, after collecting those that are spread over processes.

    If there are several processes, all of them must call this function.

    Args:
      tree: a pytree of arrays of numbers.
    """

    def gathered(leaf: Any) -> np.ndarray:
        if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable and not leaf.is_fully_replicated:
            return np.asarray(multihost_utils.process_allgather(leaf, tiled=True))
        return np.asarray(leaf)

    return jax.tree.map(gathered, tree)


def init_seeds(init: Callable[[jax.Array], Any], keys: jax.Array, mesh: Mesh) -> Any:
    """Initializes the states of all seeds, and places them on the mesh.

    States are initialized on one device, one after the other. Orthogonal initializers factorize matrices. On a CPU,
    jaxlib's batched factorization runs in a thread of XLA's pool and waits for other threads of the same pool, so that
    a few factorizations at a time deadlock (seen with jaxlib 0.10.2, two cores, `jax.vmap` over eight seeds, LSTM 64).

    Args:
      init: `Algorithm.init`.
      keys: `[S]` typed keys.
      mesh: a mesh of `seeds_mesh`.

    Returns:
      The states, with a leading axis of seeds that is spread over the devices.

    Raises:
      TypeError: `init` is not callable, `keys` is not an array of typed PRNG keys, or `mesh` is not a `Mesh`.
      ValueError: `keys` is not `[S]` with S at least 1 and a multiple of the size of the mesh's axis of seeds, or
        `mesh` does not have the axes of `seeds_mesh`.
    """
    require_callable(init=init)
    _check_mesh(mesh)
    _check_keys(keys, mesh.shape[_SEEDS])
    if not keys.is_fully_addressable:
        keys = jax.random.wrap_key_data(gather(jax.random.key_data(keys)), impl=jax.random.key_impl(keys))
    return place(_init_all(init)(jax.device_put(keys, _own_device(mesh))), seeds_sharding(mesh))


def compile_init(init: Callable[[jax.Array], Any], keys: jax.Array, mesh: Mesh) -> None:
    """Compiles the function that `init_seeds` calls, for example in a thread beside other work.

    Args:
      init: `Algorithm.init`.
      keys: `[S]` typed keys.
      mesh: a mesh of `seeds_mesh`.

    Raises:
      TypeError: as in `init_seeds`.
      ValueError: as in `init_seeds`.
    """
    require_callable(init=init)
    _check_mesh(mesh)
    _check_keys(keys, mesh.shape[_SEEDS])
    placed = jax.sharding.SingleDeviceSharding(_own_device(mesh))
    _init_all(init).lower(jax.ShapeDtypeStruct(keys.shape, keys.dtype, sharding=placed)).compile()


def _own_device(mesh: Mesh) -> jax.Device:
    """Returns the device on which this process initializes all seeds, which is cheaper than sending states."""
    return next(device for device in mesh.devices.flat if device.process_index == jax.process_index())


@functools.lru_cache(maxsize=1)
def _init_all(init: Callable[[jax.Array], Any]) -> Any:
    """Returns the jitted initializer of all seeds; cached, so that it is traced once for each algorithm."""
    return jax.jit(lambda keys: jax.lax.map(init, keys))


def seeds_types(init: Callable[[jax.Array], Any], keys: jax.Array) -> Any:
    """Returns the shapes and dtypes of the states that `init_seeds` returns for `[S]` keys.

    Raises:
      TypeError: `init` is not callable, or `keys` is not an array of typed PRNG keys.
      ValueError: `keys` is not `[S]` with S at least 1.
    """
    require_callable(init=init)
    _check_keys(keys, 1)
    return jax.eval_shape(_init_all(init), jax.ShapeDtypeStruct(keys.shape, keys.dtype))


def vmap_seeds(
    function: Callable[..., Any], mesh: Mesh, *, in_axes: Sequence[int | str | None] = (0,), num_shards: int = 1
) -> Callable[..., Any]:
    """Maps a function over an axis of seeds, like `jax.vmap`, with each device computing its own share of the seeds.

    With several shards, the function is called for every shard of a seed with the same arguments, under the mapped axis
    `SHARDS`. It takes its part of the work by `jax.lax.axis_index(SHARDS)`, as `training.train` does with its
    `shard_axis`, and must return the same results on all shards. `SHARDS` is an axis of devices if the mesh has a
    device for each shard, else an axis of `jax.vmap`.

    Args:
      function: a function of one seed's arguments, all positional.
      mesh: a mesh of `seeds_mesh`; the size of its first axis divides the number of seeds.
      in_axes: for each argument, 0 if its leaves have a leading axis of seeds, None if all seeds share it, or `SHARDS`
        if its leaves have an axis of seeds and then one of shards, so that each shard gets its own part.
      num_shards: number of data shards of a batch, as given to `seeds_mesh`; 1 if batches are not sharded.

    Returns:
      The mapped function, whose results have a leading axis of seeds; to jit.

    Raises:
      TypeError: `function` is not callable, `mesh` is not a `Mesh`, or `num_shards` is not an integer.
      ValueError: `in_axes` is not a sequence of 0, `SHARDS` and None, or has no 0; `num_shards` is less than 1; or
        `mesh` does not have the axes of `seeds_mesh`, or was built for another number of shards.
    """
    require_callable(function=function)
    _check_mesh(mesh)
    require_at_least(1, num_shards=num_shards)
    _check_axes(in_axes, allows_shards=True)
    if mesh.shape[SHARDS] not in (1, num_shards):
        raise ValueError(f"num_shards must be that of the mesh, {mesh.shape[SHARDS]}, got {num_shards}")
    of_shard = tuple(0 if axis == SHARDS else None for axis in in_axes)
    if mesh.shape[SHARDS] < num_shards:
        function = jax.vmap(function, in_axes=of_shard, out_axes=None, axis_name=SHARDS, axis_size=num_shards)
    else:
        function = _without_axes(function, of_shard)
    seeds, shared, shards = PartitionSpec(_SEEDS), PartitionSpec(), PartitionSpec(_SEEDS, SHARDS)
    return jax.shard_map(
        _vmap(function, tuple(None if axis is None else 0 for axis in in_axes)),
        mesh=mesh,
        in_specs=tuple(shared if axis is None else seeds if axis == 0 else shards for axis in in_axes),
        out_specs=seeds,
        # The check rejects scans whose initial carry is a constant.
        check_vma=False,
    )


def _vmap(function: Callable[..., Any], in_axes: Sequence[int | None]) -> Callable[..., Any]:
    """Returns the function mapped over leading axes, or called without them if their size is 1.

    A single seed on a device is then traced without a mapped axis, in about two thirds of the time.
    """

    def mapped(*args: Any) -> Any:
        pairs = zip(args, in_axes, strict=True)
        if any(leaf.shape[0] != 1 for arg, axis in pairs if axis == 0 for leaf in jax.tree.leaves(arg)):
            return jax.vmap(function, in_axes=tuple(in_axes))(*args)
        results = _without_axes(function, in_axes)(*args)
        return jax.tree.map(lambda leaf: jnp.expand_dims(leaf, 0), results)

    return mapped


def _without_axes(function: Callable[..., Any], in_axes: Sequence[int | None]) -> Callable[..., Any]:
    """Returns the function of arguments that have an additional leading axis of size 1 where `in_axes` is 0."""

    def without_axes(*args: Any) -> Any:
        return function(
            *(
                arg if axis is None else jax.tree.map(lambda leaf: leaf[0], arg)
                for arg, axis in zip(args, in_axes, strict=True)
            )
        )

    return without_axes


def map_parts(function: Callable[..., Any], mesh: Mesh, *, in_axes: Sequence[int | None] = (0,)) -> Callable[..., Any]:
    """Maps a function over an axis of seeds; devices along the mesh's second axis compute parts of its results.

    Args:
      function: a function of the index of the part, a traced integer, and of one seed's arguments, all positional. It
        returns arrays with a leading axis, of the same shape for all parts.
      mesh: a mesh of `seeds_mesh`, whose second axis has a device for each part.
      in_axes: for each argument, 0 if its leaves have a leading axis of seeds, None if all seeds share it.

    Returns:
      The mapped function, to jit. Its results have a leading axis of seeds, and then one along which the parts are
      concatenated.

    Raises:
      TypeError: `function` is not callable, or `mesh` is not a `Mesh`.
      ValueError: `mesh` does not have the axes of `seeds_mesh`, or `in_axes` is not a sequence of 0 and None with a 0.
    """
    require_callable(function=function)
    _check_mesh(mesh)
    _check_axes(in_axes)
    seeds, shared = PartitionSpec(_SEEDS), PartitionSpec()

    def of_device(*args: Any) -> Any:
        return jax.vmap(function, in_axes=(None, *in_axes))(jax.lax.axis_index(SHARDS), *args)

    return jax.shard_map(
        of_device,
        mesh=mesh,
        in_specs=tuple(shared if axis is None else seeds for axis in in_axes),
        out_specs=PartitionSpec(_SEEDS, SHARDS),
        check_vma=False,
    )


def _check_axes(in_axes: Sequence[int | str | None], *, allows_shards: bool = False) -> None:
    known, wanted = ((None, SHARDS), f"0, None or {SHARDS!r}") if allows_shards else ((None,), "0 or None")
    if not isinstance(in_axes, Sequence) or any(axis not in known and not _is_zero(axis) for axis in in_axes):
        raise ValueError(f"in_axes must hold {wanted} for each argument, got {in_axes!r}")
    if 0 not in in_axes:
        raise ValueError(f"in_axes must hold a 0, that of an argument with an axis of seeds, got {in_axes!r}")


def _is_zero(axis: Any) -> bool:
    # `==` alone would accept False and 0.0, which are equal to 0.
    return type(axis) is int and axis == 0


def mean_over(axis: str | None, tree: Any) -> Any:
    """Averages a pytree over a mapped axis, such as `SHARDS`; if `axis` is None, returns it unchanged.

    All leaves are averaged as one vector, in one collective operation.

    Raises:
      TypeError: `axis` is not a string, or a leaf is not floating.
      ValueError: there is no mapped axis with this name.
    """
    if axis is None:
        return tree
    require_kind(str, axis=axis)
    try:
        jax.lax.axis_size(axis)
    except NameError as error:
        raise ValueError(f"axis must be the name of a mapped axis, got {axis!r}") from error
    for leaf in jax.tree.leaves(tree):
        # Integers would be averaged as floats and then rounded down.
        if not jnp.issubdtype(getattr(leaf, "dtype", type(leaf)), jnp.floating):
            raise TypeError(f"tree must hold floating arrays, got {leaf!r}")
    flat, unravel = ravel_pytree(tree)
    return unravel(jax.lax.pmean(flat, axis))


def _check_mesh(mesh: Mesh) -> None:
    require_kind(Mesh, mesh=mesh)
    if mesh.axis_names != (_SEEDS, SHARDS):
        raise ValueError(f"mesh must have the axes {_SEEDS!r} and {SHARDS!r}, got {mesh.axis_names}")


def _check_keys(keys: jax.Array, num_devices: int) -> None:
    if not isinstance(keys, jax.Array) or not jnp.issubdtype(keys.dtype, jax.dtypes.prng_key):
        raise TypeError(f"keys must be an array of typed PRNG keys, got {keys!r}")
    if keys.ndim != 1 or not keys.size or keys.size % num_devices:
        raise ValueError(f"keys must be [S] with S a multiple of {num_devices} and at least 1, got shape {keys.shape}")
