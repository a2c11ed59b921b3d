"""Policy gradients from scratch on the arithmetic grammar: a reward at the end of a string, nothing relaxed.

python -m experiments.train --workdir=runs/policy --config=experiments/configs/arithmetic_policy_gradient.py

Six minutes for eight seeds on two CPU cores (AMD EPYC, 2026-11-23, beside other work). Seeds 0 to 7, median (worst):
validity mass 0.998 (0.995), KL(data || model) 0.015 (0.030) nats, total variation 0.058 (0.074); with
--config.task.length_law=grammar 0.999 (0.998), 0.005 (0.006), 0.014 (0.017).
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
