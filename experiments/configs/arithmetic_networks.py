"""The recipe of arithmetic.py:wide with half the steps, another generator and, after a comma, another discriminator.

python -m experiments.train --workdir=runs/pair --config=experiments/configs/arithmetic_networks.py:transformer,lstm
python -m experiments.study networks --workdir=runs/networks

The second command trains all pairs with four seeds each, and writes a table. Results (two CPU cores, AMD EPYC,
2026-11-25) are in experiments/results/networks/table.md.
"""

from types import MappingProxyType

from ml_collections import ConfigDict

from experiments.configs import arithmetic
from gumbel_gan.arguments import require_one_of

GENERATORS = MappingProxyType(
    {
        "lstm": {"name": "lstm", "hidden_size": 32},
        "lstm2": {"name": "lstm", "hidden_size": 32, "num_layers": 2},
        "gru": {"name": "gru", "hidden_size": 32},
        "transformer": {"name": "transformer", "width": 32, "num_layers": 2},
    }
)
DISCRIMINATORS = MappingProxyType(
    {
        "lstm": {"name": "lstm", "hidden_size": 32, "pooling": "last_and_mean", "bidirectional": True},
        "transformer": {"name": "transformer", "width": 32, "num_layers": 1},
        "convolutional": {"name": "convolutional", "width": 32, "num_blocks": 1, "kernel_size": 3},
    }
)


def get_config(networks: str = "lstm,lstm") -> ConfigDict:
    """Returns the recipe of arithmetic.py:wide with two other networks and half the steps.

    For a transformer, the generator's learning rate is a third of that recipe's.

    Args:
      networks: one of `GENERATORS` and, after a comma, one of `DISCRIMINATORS`.

    Raises:
      ValueError: `networks` is not such a pair.
    """
    generator, _, discriminator = networks.partition(",")
    require_one_of(GENERATORS, generator=generator)
    require_one_of(DISCRIMINATORS, discriminator=discriminator)
    config = arithmetic.get_config("wide")
    config.num_seeds = 4
    config.num_steps = 1_500
    config.steps_per_chunk = 200
    config.chunks_per_checkpoint = 5
    config.algorithm.generator = ConfigDict(GENERATORS[generator])
    config.algorithm.discriminator = ConfigDict(DISCRIMINATORS[discriminator])
    if generator == "transformer":
        # With a rate of 2e-3, the KL divergence is still 0.33 nats after 1,400 steps.
        config.algorithm.generator_optimizer.learning_rate = "cosine(7e-4, 1e-4)"
    return config
