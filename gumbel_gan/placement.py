"""Seeds over devices: a thin room over `jax.sharding`.

Seeds never talk to each other, so that each device trains its share of them with a program of its own. On a CPU, XLA
can be made to show several devices (`jax_num_cpu_devices`), one a core; on accelerators the code is the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

_SEEDS = "seeds"


def seeds_mesh(num_seeds: int, devices: Sequence[jax.Device] | None = None) -> Mesh:
    """Makes a mesh to spread an axis of seeds over: as many devices as divide it evenly.

    Args:
      num_seeds: S, size of the axis, at least 1.
      devices: the devices to choose from, in order; None is all of JAX's.

    Returns:
      A mesh of one axis, 'seeds'.

    Raises:
      ValueError: `num_seeds` is less than 1, or there are no devices.
    """
    devices = jax.devices() if devices is None else devices
    if num_seeds < 1:
        raise ValueError(f"num_seeds must be at least 1, got {num_seeds}")
    if not devices:
        raise ValueError("devices must hold at least one device, got none")
    num = max(num for num in range(1, min(num_seeds, len(devices)) + 1) if num_seeds % num == 0)
    return Mesh(np.array(devices[:num]), (_SEEDS,), axis_types=(AxisType.Auto,))


def seeds_sharding(mesh: Mesh) -> NamedSharding:
    """Gives the sharding of arrays whose leading axis is that of the seeds."""
    return NamedSharding(mesh, PartitionSpec(_SEEDS))


def replicated(mesh: Mesh) -> NamedSharding:
    """Gives the sharding of arrays that every seed reads, such as the data."""
    return NamedSharding(mesh, PartitionSpec())


def vmap_seeds(function: Callable[..., Any], mesh: Mesh, *, in_axes: Sequence[int | None] = (0,)) -> Callable[..., Any]:
    """Does what `jax.vmap` does along an axis of seeds, each device for its own share of them.

    Args:
      function: a function of one seed's arguments, all positional.
      mesh: of `seeds_mesh`; the size of its axis divides the number of seeds.
      in_axes: for each argument 0 if its leaves have a leading axis of seeds, None if all seeds share it.

    Returns:
      The mapped function, whose results have a leading axis of seeds; to jit.

    Raises:
      ValueError: an entry of `in_axes` is neither 0 nor None.
    """
    if any(axis not in (0, None) for axis in in_axes):
        raise ValueError(f"in_axes must hold 0 or None for each argument, got {tuple(in_axes)}")
    seeds, shared = PartitionSpec(_SEEDS), PartitionSpec()
    return jax.shard_map(
        jax.vmap(function, in_axes=tuple(in_axes)),
        mesh=mesh,
        in_specs=tuple(shared if axis is None else seeds for axis in in_axes),
        out_specs=seeds,
        # Values don't vary over anything but the seeds; the check would refuse scans whose carry starts as a constant.
        check_vma=False,
    )
