"""Your own pairs: tab-separated files of a source and a target a line; the target is generated from the source.

python -m experiments.train --workdir=runs/pairs --config=experiments/configs/pairs.py --config.task.files=pairs.tsv

The method is maximum likelihood; the others are those of `pronunciation.py`, such as pairs.py:relaxed_gan.
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import pronunciation


def get_config(method: str = "likelihood") -> ConfigDict:
    """Returns a method of `pronunciation.py` on any pairs; `task.files` is to be given.

    Args:
      method: one of `pronunciation.METHODS`.

    Raises:
      ValueError: `method` is none of them.
    """
    config = pronunciation.get_config(method)
    config.task = ConfigDict(
        {
            "name": "pairs",
            "files": "",  # their paths, separated by commas
            "digest": "",  # of the files, noted when a run begins
            "encoding": "utf-8",  # of the files, any that Python knows
            "normalize": "NFC",  # the form of Unicode the text is brought to: 'NFC' | 'NFD' | 'NFKC' | 'NFKD' | 'none'
            "unit": "characters",  # of a target: 'characters' | 'words' | 'grapheme' | 'regex:PATTERN'
            "source_unit": "",  # of a source; '' is the same
            "max_length": 0,  # of a target, in units; longer ones are left out; 0 for the longest there is
            "max_source_length": 0,  # of a source
            "lowercase": False,
            "min_count": 1,  # symbols that training sees less often are unknown to it
            "max_symbols": 5_000,  # of either side
            "num_heldout": placeholder(int),  # sources for validation, and for the test; None for a tenth, to 1,000
            "seed": 0,
        }
    )
    config.batch_size = 64
    config.num_steps = 3_000
    config.steps_per_chunk = 100
    config.num_samples = 1_000
    config.num_compared = 0
    return config
