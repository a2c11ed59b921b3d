"""Trains the runs of a study that are not trained yet, and writes its report.

python -m experiments.study NAME --workdir=DIR [--help]

NAME is kusner2016, lamb2016, networks or toth2021; `python -m experiments.study NAME --help` lists its flags.
"""

import sys

from experiments import cli
from experiments.config.choices import choose
from experiments.studies import kusner2016, lamb2016, networks, toth2021

_STUDIES = {"kusner2016": kusner2016, "lamb2016": lamb2016, "networks": networks, "toth2021": toth2021}


def main() -> None:
    """Runs the study that the first argument names."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in ("-h", "--help"):
        print(__doc__)
        return
    with cli.one_line_errors():
        study = _STUDIES[choose(name, _STUDIES, "the study")]
    del sys.argv[1]
    study.define_flags()
    cli.run(study.main)


if __name__ == "__main__":
    main()
