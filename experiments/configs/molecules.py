"""Molecules of up to 25 characters from the benchmark MOSES, or from your own files of SMILES.

python -m experiments.train --workdir=runs/molecules --config=experiments/configs/molecules.py

Another method may follow a colon. molecules.py:policy_gradient trains from scratch against a discriminator of prefixes.
With ",second" after it, as in molecules.py:relaxed_gan,second, training continues from the likelihood run of
--config.init_from=runs/molecules.

Settings that are None are chosen for the data, see `experiments/config/data_defaults.py`. The default trains for 8
minutes on two cores of an AMD EPYC while other work runs (2026-11-26). The validity of 10,000 samples is 0.868 with the
weights of the best validation likelihood, and 0.895 with the last weights. policy_gradient takes 12 minutes a seed on
one core (2026-11-27), and has a validity of 0.64 (0.60 to 0.67, four seeds), far from the distribution of the data: its
NLL of held-out molecules is 34 nats, where likelihood has 14. A second phase was not better than likelihood sampled at
temperature 0.9, see experiments/results/README.md.
"""

from collections.abc import Callable
from types import MappingProxyType

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.config.data_defaults import leave_to_data
from experiments.configs import names, names_mle
from gumbel_gan.arguments import require_one_of


def _policy_gradient() -> ConfigDict:
    """Returns policy gradients with rewards of symbols, by a discriminator of prefixes.

    The discriminator has a high learning rate, as in ScratchGAN. The discount rises, from near rewards, which a
    generator without training can follow, to rewards of whole molecules, whose rings must close.
    """
    config = names.policy_gradient("per_symbol")
    config.num_steps = 5_000
    config.algorithm.ema_decay = 0.99
    config.algorithm.advantages = ConfigDict({"name": "per_symbol", "discount": "linear(0.5, 0.8)"})
    config.algorithm.generator_optimizer.update({"learning_rate": "cosine(1e-3, 5e-5)", "b1": 0.5, "b2": 0.99})
    config.algorithm.discriminator_optimizer.update({"learning_rate": "cosine(1e-2, 5e-4)", "b2": 0.99})
    return config


METHODS: MappingProxyType[str, Callable[[], ConfigDict]] = MappingProxyType(
    {
        "maximum_likelihood": names_mle.get_config,
        "relaxed_gan": names.get_config,
        "policy_gradient": _policy_gradient,
    }
)


def get_config(options: str = "maximum_likelihood") -> ConfigDict:
    """Returns the config of a method on molecules.

    Args:
      options: one of `METHODS`; ",second" may follow, to continue from the networks of another run.

    Raises:
      ValueError: `options` is not of this form.
    """
    method, *second = options.split(",")
    require_one_of(METHODS, method=method)
    if second:
        require_one_of(("second",), phase=",".join(second))
    config = METHODS[method]()
    config.task = ConfigDict(
        {
            "name": "molecules",
            "files": "",  # SMILES files, separated by commas; '' for MOSES, from the package `molsets`
            "digest": "",  # of the files, recorded when a run begins
            "tokens": "characters",  # 'characters' | 'atoms', with Cl, Br and [nH] as one symbol each | 'selfies'
            # Longest SMILES, in characters: 25 keeps 1 %, 32 a quarter and 57 all of MOSES. None is 25 for MOSES; for
            # your own files, it is the longest but for a few. 0 keeps all.
            "max_length": placeholder(int),
            "test": "test",  # test split of MOSES: 'test' | 'test_scaffolds'
            "num_heldout": placeholder(int),  # for validation and, of files, for the test; None: a tenth, up to 1,000
            "seed": 0,
        }
    )
    config.num_shards = 2
    config.num_samples = 10_000
    config.temperatures = (0.7, 0.8, 0.9, 1.0, 1.1)
    leave_to_data(config, likelihood=method == "maximum_likelihood")
    if second:
        _go_on(config)
    return config


def _go_on(config: ConfigDict) -> None:
    """Sets a second phase: fewer steps and, in a GAN, a generator rate that starts from 0."""
    config.batch_size = 128
    config.steps_per_chunk = 50
    config.num_steps = 400
    config.algorithm.ema_decay = 0.98
    if "optimizer" in config.algorithm:
        config.num_steps = 1_600
        config.patience = 0
        config.summarized = "last"
        config.algorithm.optimizer.learning_rate = "cosine(3e-4, 1e-5)"
    elif config.algorithm.name == "policy_gradient":
        _go_on_with_policy_gradient(config)
    else:
        config.algorithm.generator_optimizer.learning_rate = "linear(0.0, 4e-4)"
        config.algorithm.discriminator_optimizer.learning_rate = "constant(2e-3)"
        config.algorithm.discriminator.hidden_size = 128


def _go_on_with_policy_gradient(config: ConfigDict) -> None:
    """Sets a second phase by policy gradients.

    A discriminator without training does not tell samples of a good generator from the data. So it starts from the
    generator's features, and dropout of the generator makes samples in training worse, from which it learns.
    """
    config.init_discriminator = "generator"
    config.num_steps = 1_200
    algorithm = config.algorithm
    algorithm.generator.dropout_rate = 0.5
    algorithm.discriminator.dropout_rate = 0.0
    algorithm.advantages.discount = "constant(0.9)"
    algorithm.generator_optimizer.learning_rate = "piecewise_constant(0.0, 1e-4, 0.4)"
    algorithm.discriminator_optimizer.update({"learning_rate": "constant(1e-3)", "b1": 0.5})
