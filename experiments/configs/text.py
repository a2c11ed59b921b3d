"""Your own sequences: files of one sequence a line, or a long text cut into windows.

python -m experiments.train --workdir=runs/mine --config=experiments/configs/text.py --config.task.files=mine.txt

The method is the relaxed GAN; text.py:maximum_likelihood and text.py:importance_gan are others. The recipes are those
of `names.py`, `names_mle.py` and `names_importance.py`.
"""

from types import MappingProxyType

from ml_collections import ConfigDict

from experiments.configs import names, names_importance, names_mle
from gumbel_gan.arguments import require_one_of

METHODS = MappingProxyType(
    {
        "relaxed_gan": names.get_config,
        "maximum_likelihood": names_mle.get_config,
        "importance_gan": names_importance.get_config,
    }
)


def get_config(method: str = "relaxed_gan") -> ConfigDict:
    """Returns the recipe for names, for any text; `task.files` is to be given.

    Args:
      method: one of `METHODS`.

    Raises:
      ValueError: `method` is none of them.
    """
    require_one_of(METHODS, method=method)
    config = METHODS[method]()
    config.num_shards = 2
    config.num_compared = 200
    config.task = ConfigDict(
        {
            "name": "text",
            "files": "",  # their paths, separated by commas
            "digest": "",  # of the files, noted when a run begins
            "encoding": "utf-8",  # of the files, any that Python knows
            "normalize": "NFC",  # the form of Unicode the text is brought to: 'NFC' | 'NFD' | 'NFKC' | 'NFKD' | 'none'
            # of a sequence: 'characters' | 'words' | 'grapheme' | 'regex:PATTERN', whose matches are symbols
            "unit": "characters",
            "max_length": 20,  # in units; 0 for the longest line there is
            "too_long": "drop",  # what to do with longer lines: 'drop' | 'cut' | 'fail'
            "window": 0,  # cuts one long text into windows of so many units (with max_length 0); 0: a line a sequence
            "lowercase": False,
            "min_count": 1,  # rarer words become <unk>, lines with other rarer symbols are dropped
            "max_symbols": 5_000,
            "deduplicate": True,
            "num_heldout": 200,  # sequences for validation, and for the test
            "stream": "auto",  # training sequences from files: 'always' | 'never' | 'auto', for more than 64 MB of text
            "seed": 0,
        }
    )
    return config
