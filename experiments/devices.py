"""Selects JAX's backend and devices, and the cache of compiled programs."""

import os
from pathlib import Path

import jax

from experiments.config.choices import choose

PLATFORMS = ("", "cpu", "gpu", "tpu")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gumbel_gan" / "compiled"


def select(platform: str, *, num_devices: int = 1, name: str = "config.platform") -> None:
    """Selects JAX's backend and the cache of compiled programs; must be called before any device is used.

    Compiled programs are stored in `CACHE`, so that a program is compiled only in its first run. The environment
    variable `JAX_COMPILATION_CACHE_DIR` sets another folder.

    Args:
      platform: '' for JAX's own choice, 'cpu', 'gpu' or 'tpu'.
      num_devices: largest number of CPU devices; there is one per core, up to this number, unless `XLA_FLAGS` sets the
        number.
      name: the name of the setting or flag that gives `platform`, for errors.

    Raises:
      ValueError: `platform` is not one of `PLATFORMS`, or this machine has no such device.
    """
    choose(platform, PLATFORMS, name)
    # Not for 'gpu', for which JAX would require all GPU platforms. If there is a GPU, JAX selects it by default.
    if platform in ("cpu", "tpu"):
        jax.config.update("jax_platforms", platform)
    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        # Each of several processes has one device: their number is not known before devices are initialized.
        most = 1 if jax.distributed.is_initialized() else num_cores()
        jax.config.update("jax_num_cpu_devices", min(num_devices, most))
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(CACHE))
        # Most programs of a run compile in less than a second, JAX's default threshold.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    try:
        found = jax.default_backend()
    except RuntimeError as error:
        found = " ".join(str(error).split())
    if platform and found != platform:
        raise ValueError(f"{name} must name a device of this machine, got {platform!r} (found: {found})")


def check_spread(mesh: jax.sharding.Mesh) -> None:
    """Raises ValueError if several processes were started without --distributed, or do not use all of their devices."""
    num_processes, num_devices = jax.process_count(), len(jax.devices())
    if num_processes > 1 and not jax.distributed.is_initialized():
        raise ValueError(f"--distributed must be given for a program of several processes, got {num_processes}")
    if num_processes > 1 and mesh.size < num_devices:
        raise ValueError(
            f"config.num_seeds, points of the sweep and config.num_shards must spread over all {num_devices} devices "
            f"of {num_processes} processes, but use {mesh.size}: they do if the replicas are a multiple of the "
            "devices, or the devices are the replicas times config.num_shards"
        )


def num_cores() -> int:
    """Returns the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
