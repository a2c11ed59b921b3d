import os
import subprocess
import sys

import pytest

from experiments import devices

PROGRAM = """
import jax
from experiments import devices
devices.select("cpu", num_devices={num_devices})
print(len(jax.devices()), jax.jit(lambda x: x + 1)(1.0))
"""


def run(num_devices, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_", "XDG_"))}
    command = [sys.executable, "-c", PROGRAM.format(num_devices=num_devices)]
    return subprocess.run(
        command, env=kept | environment, capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()


@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR"])
def test_what_is_compiled_is_kept_in_a_folder_of_the_user(tmp_path, variable):
    assert run(1, **{variable: str(tmp_path)}) == ["1", "2.0"]
    folders = {
        "HOME": tmp_path / ".cache" / "gumbel_gan" / "compiled",
        "XDG_CACHE_HOME": tmp_path / "gumbel_gan" / "compiled",
        "JAX_COMPILATION_CACHE_DIR": tmp_path,
    }
    # By default, JAX does not cache programs that compile in less than a second.
    assert any(folders[variable].iterdir()) == (variable != "JAX_COMPILATION_CACHE_DIR")


def test_a_cpu_shows_one_device_per_core_up_to_the_number_of_use_unless_xla_flags_set_it(tmp_path):
    for num_of_use in (1, 64):
        num_devices, _ = run(num_of_use, HOME=str(tmp_path))
        assert int(num_devices) == min(num_of_use, devices.num_cores())
    num_devices, _ = run(1, HOME=str(tmp_path), XLA_FLAGS="--xla_force_host_platform_device_count=3")
    assert num_devices == "3"
