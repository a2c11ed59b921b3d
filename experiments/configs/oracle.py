"""SeqGAN's protocol, made small: sequences of a random LSTM, whose likelihoods are known; a method follows a colon.

python -m experiments.train --workdir=runs/oracle --config=experiments/configs/oracle.py

The method is maximum likelihood, or, as oracle.py:relaxed_gan, oracle.py:policy_gradient and so on, another.
"""

from ml_collections import ConfigDict

from experiments.configs import arithmetic, arithmetic_policy_gradient, names_mle

METHODS = (
    "maximum_likelihood",
    "relaxed_gan",
    "policy_gradient",
    "policy_gradient_warm",
    "roll_outs",
    "roll_outs_warm",
)
_STEPS, _WARM_UP_STEPS = 3_000, 1_000


def get_config(method: str = "maximum_likelihood") -> ConfigDict:
    """Gives a method on this task; SeqGAN's own sizes are num_symbols=5000 and num_train=10000.

    All methods have the same generator, data and batches, and as many steps; those that are warm have them after a
    phase of maximum likelihood.

    Args:
      method: one of `METHODS`.

    Raises:
      ValueError: `method` is none of them.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    name = method.removesuffix("_warm")
    config = names_mle.get_config()
    if name == "maximum_likelihood":
        config.algorithm.generator.hidden_size = 32
    elif name == "relaxed_gan":
        config.algorithm = arithmetic.get_config().algorithm
    else:
        credit = "roll_outs" if name == "roll_outs" else "terminal"
        config.algorithm = arithmetic_policy_gradient.get_config(credit).algorithm
    config.num_steps = _STEPS
    if method.endswith("_warm"):
        config.algorithm.warm_up_steps = _WARM_UP_STEPS
        config.num_steps += _WARM_UP_STEPS
    config.steps_per_chunk = 200
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
