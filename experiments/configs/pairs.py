"""Your own pairs: tab-separated files of one source and target per line; the target is generated from the source.

python -m experiments.train --workdir=runs/pairs --config=experiments/configs/pairs.py --config.task.files=pairs.tsv

The default is maximum likelihood; another method of `pronunciation.py` may follow a colon, as in pairs.py:relaxed_gan.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import pronunciation


def get_config(method: str = "likelihood") -> ConfigDict:
    """Returns a method of `pronunciation.py` on any pairs; `task.files` must be set.

    Args:
      method: one of `pronunciation.METHODS`.

    Raises:
      ValueError: `method` is not one of `pronunciation.METHODS`.
    """
    config = pronunciation.get_config(method)
    config.task = ConfigDict(
        {
            "name": "pairs",
            "files": "",  # paths, separated by commas
            "digest": "",  # of the files, recorded when a run begins
            "encoding": "utf-8",  # of the files, any encoding of Python
            "normalize": "NFC",  # Unicode normalization form of the text: 'NFC' | 'NFD' | 'NFKC' | 'NFKD' | 'none'
            "unit": "characters",  # of a target: 'characters' | 'words' | 'grapheme' | 'regex:PATTERN'
            "source_unit": "",  # of a source; '' for that of a target
            "max_length": 0,  # of a target, in units; longer targets are left out; 0 for the longest target
            "max_source_length": 0,  # of a source, likewise
            "lowercase": False,
            "min_count": 1,  # symbols that are rarer in training count as unknown
            "max_symbols": 5_000,  # of sources, and of targets
            "num_heldout": placeholder(int),  # sources for validation, as many for the test; None: a tenth, up to 1,000
            "seed": 0,
        }
    )
    config.batch_size = 64
    config.num_steps = 3_000
    config.steps_per_chunk = 100
    config.num_samples = 1_000
    config.num_compared = 0
    return config
