"""Where a run is computed: JAX's backend, its devices, and the cache of compiled programs."""

import os
from pathlib import Path

import jax

from experiments.config.choices import choose

PLATFORMS = ("", "cpu", "gpu", "tpu")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gumbel_gan" / "compiled"


def select(platform: str, *, num_devices: int = 1) -> None:
    """Chooses JAX's backend, and keeps what it compiles; to be called before anything touches a device.

    Compiled programs are kept in `CACHE`, so that a program that was run before starts at once. The environment
    variable `JAX_COMPILATION_CACHE_DIR` names another folder.

    Args:
      platform: '' for JAX's own choice, 'cpu', 'gpu' or 'tpu'.
      num_devices: devices to use at most; a CPU shows one a core, up to this number, unless `XLA_FLAGS` says how many.

    Raises:
      ValueError: `platform` is unknown, or this machine has no such device.
    """
    choose(platform, PLATFORMS, "config.platform")
    # Not for 'gpu': JAX would insist on every brand of it. Where there is one, JAX chooses it of itself.
    if platform in ("cpu", "tpu"):
        jax.config.update("jax_platforms", platform)
    if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        # Of several processes, each has one: their number is not known before they have devices.
        most = 1 if jax.distributed.is_initialized() else num_cores()
        jax.config.update("jax_num_cpu_devices", min(num_devices, most))
    if not os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        jax.config.update("jax_compilation_cache_dir", str(CACHE))
        # Programs of a second or less are most of those that a run compiles.
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    try:
        found = jax.default_backend()
    except RuntimeError as error:
        found = " ".join(str(error).split())
    if platform and found != platform:
        raise ValueError(f"config.platform must name a device of this machine, got {platform!r} (found: {found})")


def check_spread(mesh: jax.sharding.Mesh) -> None:
    """Raises ValueError where there are several processes, and the members of a run don't spread over all devices."""
    num_processes, num_devices = jax.process_count(), len(jax.devices())
    if num_processes > 1 and not jax.distributed.is_initialized():
        raise ValueError(f"--distributed must be given for a program of several processes, got {num_processes}")
    if num_processes > 1 and mesh.size < num_devices:
        raise ValueError(
            f"config.num_seeds, points of the sweep and config.num_shards must spread over all {num_devices} devices "
            f"of {num_processes} processes, but use {mesh.size}: replicas must be a multiple of the devices, or "
            "divide them with config.num_shards times as many devices"
        )


def num_cores() -> int:
    """Returns the number of CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
