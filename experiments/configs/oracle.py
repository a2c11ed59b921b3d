"""SeqGAN's protocol at a smaller size: sequences of a random LSTM, whose likelihoods are known.

python -m experiments.train --workdir=runs/oracle --config=experiments/configs/oracle.py

The default is maximum likelihood; another method may follow a colon, such as oracle.py:relaxed_gan or
oracle.py:policy_gradient.

Eight seeds on two CPU cores (AMD EPYC, 2026-11-23, while other work ran); median (worst) of seeds 0 to 7: NLL of draws
under the true distribution, and of held-out sequences under the generator, nats per sequence. maximum_likelihood 80 s,
58.0 (58.4), 51.7 (51.9); relaxed_gan 557 s, 58.6 (59.2), 54.6 (54.9); policy_gradient 323 s, 59.4 (59.7), 54.2 (54.4);
policy_gradient_warm 546 s, 57.0 (58.3), 52.2 (52.7). Draws from the true distribution have 47.1.
"""

from ml_collections import ConfigDict

from experiments.configs import arithmetic, arithmetic_policy_gradient, names_mle
from gumbel_gan.arguments import require_one_of

METHODS = (
    "maximum_likelihood",
    "relaxed_gan",
    "policy_gradient",
    "policy_gradient_warm",
    "monte_carlo",
    "monte_carlo_warm",
)
_STEPS, _WARM_UP_STEPS = 2_000, 1_000


def get_config(method: str = "maximum_likelihood") -> ConfigDict:
    """Returns the config of a method on this task; SeqGAN's own sizes are num_symbols=5000 and num_train=10000.

    All methods have the same generator, data, batches and number of steps. Methods that end in `_warm` take these steps
    after a phase of maximum likelihood.

    Args:
      method: one of `METHODS`.

    Raises:
      ValueError: `method` is not one of `METHODS`.
    """
    require_one_of(METHODS, method=method)
    name = method.removesuffix("_warm")
    config = names_mle.get_config()
    if name == "maximum_likelihood":
        config.algorithm.generator.hidden_size = 32
    else:
        config.algorithm = _adversarial(name)
    config.num_steps = _STEPS
    if method.endswith("_warm"):
        config.algorithm.warm_up_steps = _WARM_UP_STEPS
        config.num_steps += _WARM_UP_STEPS
    config.steps_per_chunk = 200
    config.chunks_per_checkpoint = 10
    config.num_samples = 1_000
    config.temperatures = ()
    config.task = ConfigDict(
        {
            "name": "oracle",
            "num_symbols": 50,
            "length": 20,
            "hidden_size": 32,
            "num_train": 10_000,
            "num_heldout": 1_000,
            "seed": 0,
        }
    )
    return config


def _adversarial(name: str) -> ConfigDict:
    """Returns the arithmetic recipe with a higher generator rate and weaker penalties, chosen by validation."""
    if name == "relaxed_gan":
        algorithm = arithmetic.get_config("wide").algorithm
    else:
        advantages = "monte_carlo" if name == "monte_carlo" else "reinforce"
        algorithm = arithmetic_policy_gradient.get_config(advantages).algorithm
    algorithm.generator_optimizer.learning_rate = "cosine(5e-3, 2.5e-4)"
    algorithm.discriminator_optimizer.learning_rate = "cosine(4e-3, 2e-4)"
    algorithm.penalty.update(real_weight="constant(1.0)", generated_weight="constant(1.0)")
    algorithm.ema_decay = 0.998
    return algorithm
