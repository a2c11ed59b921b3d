"""Policy gradients from scratch on the arithmetic grammar: a reward at the end of a string, nothing relaxed.

python -m experiments.train --workdir=runs/policy --config=experiments/configs/arithmetic_policy_gradient.py
"""

from ml_collections import ConfigDict

from experiments.configs import arithmetic

_SHARED = (
    *("real_penalty", "generated_penalty", "penalised_fraction", "average_decay", "num_latent_draws"),
    *("generator", "discriminator", "generator_optimizer", "discriminator_optimizer"),
)


def get_config() -> ConfigDict:
    """Gives the main job's recipe, with the discriminator's logit as the reward, for twice as many steps."""
    config = arithmetic.get_config()
    config.num_steps = 6_000
    relaxed = config.algorithm
    config.algorithm = ConfigDict(
        {"name": "policy_gradient", "reward": "logit"} | {name: relaxed[name] for name in _SHARED}
    )
    return config
