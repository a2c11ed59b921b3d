"""`arithmetic.py:wide` with small networks and 60 steps, to check that everything works; the samples are poor.

python -m experiments.train --workdir=runs/quicktest --config=experiments/configs/quicktest.py
"""

from ml_collections import ConfigDict

from experiments.configs import arithmetic


def get_config() -> ConfigDict:
    """Returns `arithmetic.py:wide` with small networks, 60 steps and short strings."""
    config = arithmetic.get_config("wide")
    config.num_steps = 60
    config.steps_per_chunk = 20
    config.chunks_per_checkpoint = 1
    config.batch_size = 32
    config.num_samples = 1_000
    config.task.max_length = 8
    config.task.num_train = 500
    config.task.num_heldout = 100
    config.algorithm.generator.hidden_size = 8
    config.algorithm.discriminator.hidden_size = 8
    return config
