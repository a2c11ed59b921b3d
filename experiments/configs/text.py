"""Your own sequences: files of one sequence per line, or a long text cut into windows.

python -m experiments.train --workdir=runs/mine --config=experiments/configs/text.py --config.task.files=mine.txt

The default is the relaxed GAN; another of `METHODS` may follow a colon, such as text.py:maximum_likelihood. Settings
that are None are chosen for the data, see `experiments/config/data_defaults.py`. The others are those of the configs
for names, `arithmetic_policy_gradient.py`, `professor_forcing.py` and `one_pass.py`. text.py:truncated reads one long
text in order, and carries the hidden state from each window to the next. So does text.py:professor_forcing with
--config.task.window=100 --config.task.in_order=True --config.algorithm.restart_rate=0.05.
"""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.config.data_defaults import leave_to_data
from experiments.configs import (
    names,
    names_importance,
    names_mle,
    one_pass,
    professor_forcing,
)
from gumbel_gan.arguments import require_one_of


def _professor_forcing() -> ConfigDict:
    config = names_mle.get_config()
    config.algorithm = professor_forcing.get_config("weak").algorithm
    return config


def carry(config: ConfigDict) -> ConfigDict:
    """Sets a config, in place, to carry the hidden state over the windows of a text in order.

    Args:
      config: a config of likelihood or of Professor Forcing.

    Returns:
      The config.
    """
    if config.algorithm.name == "maximum_likelihood":
        kept = {name: config.algorithm[name] for name in ("ema_decay", "generator", "optimizer")}
        config.algorithm = ConfigDict({"name": "truncated_likelihood"} | kept)
    config.algorithm.restart_rate = 0.05
    config.best_metric = "carried_validation_nll"
    return config


def _truncated() -> ConfigDict:
    return carry(names_mle.get_config())


def _one_pass() -> ConfigDict:
    config = names.get_config()
    config.algorithm = one_pass.get_config().algorithm
    config.algorithm.generator.width = 64
    config.algorithm.discriminator.hidden_size = placeholder(int)
    return config


METHODS: MappingProxyType[str, Callable[[], ConfigDict]] = MappingProxyType(
    {
        "relaxed_gan": names.get_config,
        "policy_gradient": names.policy_gradient,
        "one_pass": _one_pass,
        "maximum_likelihood": names_mle.get_config,
        "truncated": _truncated,
        "importance_gan": names_importance.get_config,
        "professor_forcing": _professor_forcing,
    }
)
# Settings that a method fixes: settings of the data, and settings that are otherwise chosen for the data.
_GIVEN: MappingProxyType[str, dict[str, Any]] = MappingProxyType(
    {"truncated": {"batch_size": 32, "task": {"window": 100, "in_order": True, "stream": "never"}}}
)
_BY_LIKELIHOOD = ("maximum_likelihood", "truncated", "importance_gan", "professor_forcing")


def get_config(method: str = "relaxed_gan") -> ConfigDict:
    """Returns the recipe of a method for any text; `task.files` must be set.

    Args:
      method: one of `METHODS`.

    Raises:
      ValueError: `method` is not one of `METHODS`.
    """
    require_one_of(METHODS, method=method)
    config = METHODS[method]()
    config.num_shards = 2
    config.task = ConfigDict(
        {
            "name": "text",
            "files": "",  # paths, separated by commas
            "digest": "",  # of the files, recorded when a run begins
            "encoding": "utf-8",  # of the files, any encoding of Python
            "normalize": "NFC",  # Unicode normalization form of the text: 'NFC' | 'NFD' | 'NFKC' | 'NFKD' | 'none'
            # symbols of a sequence: 'characters' | 'words' | 'grapheme' | 'regex:PATTERN', whose matches are symbols
            "unit": "characters",
            "max_length": placeholder(int),  # in units; None for the longest line but a few, 0 for the longest line
            "too_long": "drop",  # treatment of longer lines: 'drop' | 'cut' | 'fail'
            "window": 0,  # units of windows that one long text is cut into (max_length None); 0: a sequence per line
            "in_order": False,  # whether windows stay in the order of the text
            "lowercase": False,
            "min_count": 1,  # rarer words become <unk>; lines with other rarer symbols are dropped
            "max_symbols": 5_000,
            "deduplicate": True,
            "num_heldout": placeholder(int),  # for validation, and as many for the test; None: a tenth, up to 1,000
            "stream": "auto",  # whether training reads from files: 'always' | 'never' | 'auto', for more than 64 MB
            "seed": 0,
        }
    )
    leave_to_data(config, likelihood=method in _BY_LIKELIHOOD)
    config.update(_GIVEN.get(method, {}))
    return config
