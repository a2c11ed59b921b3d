"""Raises the drug-likeness of molecules, from a run of `molecules.py`; the name of a method may follow a colon.

python -m experiments.train --workdir=runs/property --config=experiments/configs/molecule_property.py \
  --config.init_from=runs/molecules

The default, `policy_gradient`, mixes the property into the adversarial reward, as ORGAN does. `feedback` trains the
same GAN without the property in its reward, on data whose worst molecules are replaced by the best samples, as FBGAN
does. There are two baselines with the same number of calls: `hill_climbing` continues maximum likelihood on the best
samples so far, and `rejection` samples the generator without training it. The study `property` compares the four.

--config.property.function is `qed`, `penalized_log_p`, or your own function `module:function`, which takes one string
and returns a number. It is called in worker processes, once for each string. If it raises an error, returns no finite
number or takes longer than `timeout_seconds`, the string is reported and gets the worst value.
"""

from ml_collections import ConfigDict, config_dict

from experiments.configs import arithmetic_policy_gradient, molecules
from gumbel_gan.arguments import require_one_of

METHODS = ("policy_gradient", "feedback", "hill_climbing", "rejection")


def get_config(method: str = "policy_gradient") -> ConfigDict:
    """Returns the config of a method that raises a property of molecules.

    Args:
      method: one of `METHODS`.

    Raises:
      ValueError: `method` is not one of `METHODS`.
    """
    require_one_of(METHODS, method=method)
    config = molecules.get_config()
    config.update({"num_shards": 1, "num_samples": 2_000, "num_compared": 0, "temperatures": (), "batch_size": 64})
    config.update({"patience": 0, "best_metric": "none", "summarized": "last", "chunks_per_checkpoint": 10})
    config.property = ConfigDict(
        {
            "function": "qed",  # 'qed' | 'penalized_log_p' | 'module:function' of one string
            "worst": config_dict.placeholder(float),  # of strings without a number; None: 0, -10 or 0, by the function
            "num_workers": 1,
            "timeout_seconds": 60.0,
            "max_calls": 10_000,  # calls of each seed, after which training ends; 0 for no limit
            "renewal": "never",  # renewal of the data before each chunk: 'never' | 'replace_worst' | 'best_samples'
            "num_samples": 1_024,  # samples scored before each chunk
            "num_kept": 512,  # best sequences kept, of these samples and those kept before
        }
    )
    if method in ("policy_gradient", "feedback"):
        _adversarial(config, mixed=method == "policy_gradient")
    else:
        config.property.renewal = "best_samples"
        config.algorithm.ema_decay = 0.0
        config.algorithm.optimizer.learning_rate = "constant(5e-4)" if method == "hill_climbing" else "constant(0)"
        config.steps_per_chunk = 16 if method == "hill_climbing" else 1
        config.num_steps = 60 * config.steps_per_chunk
    return config


def _adversarial(config: ConfigDict, *, mixed: bool) -> None:
    """Sets policy gradients with the property in the reward, or with data that is renewed by the property."""
    generator = config.algorithm.generator
    config.algorithm = arithmetic_policy_gradient.get_config().algorithm
    config.algorithm.update({"generator": generator, "reward": "tanh_half_logit", "ema_decay": 0.0})
    config.algorithm.generator_optimizer.learning_rate = "constant(3e-4)"
    config.algorithm.discriminator_optimizer.learning_rate = "constant(1e-3)"
    config.algorithm.discriminator.hidden_size = 128
    if mixed:
        config.algorithm.adversarial_weight = "linear(0.5, 0.2)"  # a number or a schedule in [0, 1]
        config.steps_per_chunk, config.num_steps = 10, 600
    else:
        config.property.update({"renewal": "replace_worst", "num_samples": 512, "num_kept": 1_000})
        config.steps_per_chunk, config.num_steps = 20, 1_200
