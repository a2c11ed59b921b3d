r"""Policy gradients from scratch on the arithmetic grammar, nothing relaxed; who is paid for what follows a colon.

python -m experiments.train --workdir=runs/policy --config=experiments/configs/arithmetic_policy_gradient.py

The credit is terminal, a reward at the end of a string, or, as arithmetic_policy_gradient.py:per_prefix or
arithmetic_policy_gradient.py:roll_outs, that of ScratchGAN or SeqGAN.

Ten minutes for eight seeds on two CPU cores (AMD EPYC, 2026-11-23, beside other work). Seeds 0 to 7, median (worst):
validity mass 0.999 (0.998), KL(data || model) 0.007 (0.010) nats, total variation 0.040 (0.052); per_prefix, five
minutes: 0.995 (0.988), 0.016 (0.023), 0.056 (0.074); roll_outs, 3,000 steps of batch 128 in 14 minutes: 0.996 (0.994),
0.019 (0.036), 0.063 (0.084).

With --config.task.length_law=grammar, per_prefix reaches 0.999 (0.998), 0.004 (0.005), 0.012 (0.016). With a terminal
reward most seeds end on the string `x`; there the main job's faster generator is needed, and 6,000 steps of batch 128
reach 0.999 (0.998), 0.005 (0.006), 0.014 (0.017):

python -m experiments.train --workdir=runs/policy_grammar --config=experiments/configs/arithmetic_policy_gradient.py \
  --config.task.length_law=grammar --config.num_steps=6000 --config.batch_size=128 \
  --config.algorithm.average_decay=0.998 \
  --config.algorithm.generator_optimizer.learning_rate='cosine(2e-3, 1e-4)'
"""

from ml_collections import ConfigDict

from experiments.configs import arithmetic
from gumbel_gan.arguments import require_one_of

CREDITS = ("terminal", "per_prefix", "roll_outs")
_SHARED = (
    *("real_penalty", "generated_penalty", "penalised_fraction", "average_decay", "num_latent_draws"),
    *("generator", "discriminator", "generator_optimizer", "discriminator_optimizer"),
)


def get_config(credit: str = "terminal") -> ConfigDict:
    """Gives the main job's recipe, with a slower generator, larger batches and more steps.

    Args:
      credit: one of `CREDITS`. Prefixes are paid 2 D - 1, and their discriminator has no penalty, which it does not
        bear.

    Raises:
      ValueError: `credit` is none of them.
    """
    require_one_of(CREDITS, credit=credit)
    config = arithmetic.get_config()
    config.num_steps = 4_000
    config.batch_size = 256
    relaxed = config.algorithm
    relaxed.average_decay = 0.999
    relaxed.generator_optimizer.learning_rate = "cosine(1e-3, 5e-5)"
    config.algorithm = ConfigDict(
        {
            "name": "policy_gradient",
            "reward": "logit",  # of the discriminator's logit: 'logit' | 'twice_belief_minus_one' | 'log_belief'
            "credit": {"name": "terminal"},  # 'terminal' | 'per_prefix' | 'roll_outs'
            "warm_up_steps": 0,  # first steps, in which the generator learns by maximum likelihood
        }
        | {name: relaxed[name] for name in _SHARED}
    )
    if credit == "per_prefix":
        _pay_prefixes(config.algorithm)
    if credit == "roll_outs":
        config.algorithm.credit = ConfigDict({"name": "roll_outs", "num_roll_outs": 2})  # completions of a prefix
    return config


def _pay_prefixes(algorithm: ConfigDict) -> None:
    algorithm.reward = "twice_belief_minus_one"
    algorithm.credit = ConfigDict({"name": "per_prefix", "discount": 0.23, "baseline_decay": 0.08})
    algorithm.real_penalty = algorithm.generated_penalty = "none"
    algorithm.discriminator = ConfigDict({"name": "lstm", "hidden_size": 32})
