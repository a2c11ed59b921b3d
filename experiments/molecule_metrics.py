"""Computes the metrics of the benchmark MOSES for a file of molecules, one SMILES per line.

python -m experiments.molecule_metrics FILE.smi [--max_length=25] [--output=FILE.json]
"""

from experiments import interrupts

with interrupts.imports(__name__):
    from collections import Counter
    from collections.abc import Mapping
    from pathlib import Path

    from absl import flags
    from rich.table import Table

    from experiments import cli, devices
    from experiments.run.texts import write_json
    from gumbel_gan.metrics import molecules
    from gumbel_gan.tasks import selfies_to_smiles
    from gumbel_gan.tasks.files import read_texts
    from gumbel_gan.tasks.smiles_files import SmilesLine, smiles_lines

_NOTATION = flags.DEFINE_enum("notation", "smiles", ("smiles", "selfies"), "The notation of the lines.")
_NUM = flags.DEFINE_integer("num", 0, "Maximum number of lines to judge; 0 judges all.", lower_bound=0)
_MAX_LENGTH = flags.DEFINE_integer(
    "max_length",
    0,
    "Compares with the molecules of MOSES, or of --references, of at most so many characters; 0 compares with all "
    "molecules: of MOSES, by its shipped statistics, or of --references.",
    lower_bound=0,
)
_REFERENCES = flags.DEFINE_string("references", "", "A file of SMILES to compare with, instead of MOSES.")
_TRAIN = flags.DEFINE_string("train", "", "A file of the training SMILES, for the novelty, instead of MOSES.")
_WORKERS = flags.DEFINE_integer("num_workers", devices.num_cores(), "Processes that RDKit runs in.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "A JSON file to write the metrics to.")

_TITLES = {"test": "test", "test_scaffolds": "scaffold test", "references": "references"}
_SIZES = {"unique@1000": 1_000, "unique@10000": 10_000}


def main(*paths: str) -> None:
    """Prints the table of metrics, the counts of invalid lines by reason, and what could not be measured."""
    with cli.one_line_errors():
        if len(paths) != 1:
            raise ValueError(f"the command takes one file of SMILES, got {len(paths)}")
        if _OUTPUT.value is not None:
            cli.check_output_file(_OUTPUT.value, "--output")
        try:
            lines, smiles, notes = _samples(paths[0])
            references, missing = _references()
            train, without_train = _train()
            metrics = molecules.moses_metrics(
                smiles,
                references=references,
                train=train,
                with_filters=not _no_moses(),
                num_workers=_WORKERS.value,
            )
        except ImportError as error:
            raise ValueError(str(error)) from error
    screen = cli.screen()
    screen.print(_table(metrics, list(references), title=f"{Path(paths[0]).name}, {len(lines):,} lines"))
    for note in [*notes, *_invalid(lines, smiles), *missing, *without_train, *_short(metrics, len(lines))]:
        screen.print(note, soft_wrap=True, highlight=False)
    if _OUTPUT.value:
        with cli.one_line_errors():
            write_json(Path(_OUTPUT.value), {"num_lines": len(lines)} | metrics)


def _samples(path: str) -> tuple[list[SmilesLine], list[str], list[str]]:
    """Returns the lines to evaluate, the SMILES of each line, and sentences on the lines left out."""
    lines, notes = _read(path)
    lines = lines[: _NUM.value or None]
    if not lines:
        raise ValueError(f"{path!r} must hold a line of SMILES, got none. {' '.join(notes)}")
    if _NOTATION.value == "selfies":
        return lines, [selfies_to_smiles(line.smiles) for line in lines], notes
    return lines, [line.smiles for line in lines], notes


def _read(path: str) -> tuple[list[SmilesLine], list[str]]:
    return smiles_lines(path, read_texts(path))


def _no_moses() -> str:
    """Returns why the data of MOSES cannot be read; '' if it can."""
    try:
        molecules.moses_file("metrics/mcf.csv")
    except ImportError as error:
        return str(error)
    return ""


def _references() -> tuple[dict[str, molecules.References], list[str]]:
    """Returns the reference sets by name, and sentences on the metrics that cannot be computed."""
    notes = []
    try:
        molecules.load_chemnet()
        has_chemnet = True
    except ImportError as error:
        has_chemnet = False
        notes.append(f"No FCD: {error}.")
    if _REFERENCES.value:
        given = [line.smiles for line in _read(_REFERENCES.value)[0]]
        strings = {"references": _short_enough(given)}
        if given and not strings["references"]:
            raise ValueError(
                f"--max_length must leave some of --references, got {_MAX_LENGTH.value}: all {len(given):,} are longer"
            )
        if _no_moses():
            notes.append(f"No filters: {_no_moses()}.")
    elif _no_moses():
        return {}, [*notes, f"No filters and no references: {_no_moses()}."]
    elif not _MAX_LENGTH.value:
        shipped = {split: molecules.moses_references(split) for split in ("test", "test_scaffolds")}
        return {name: each if has_chemnet else each._replace(activations=None) for name, each in shipped.items()}, notes
    else:
        strings = {split: _short_enough(molecules.moses_smiles(split)) for split in ("test", "test_scaffolds")}
    references = {
        name: molecules.references_of(each, with_activations=has_chemnet, num_workers=_WORKERS.value)
        for name, each in strings.items()
    }
    return references, notes


def _train() -> tuple[set[str] | None, list[str]]:
    """Returns the canonical SMILES of the training molecules; or None, and a sentence, if they are not known."""
    if _TRAIN.value:
        parsed = [molecules.parse(line.smiles) for line in _read(_TRAIN.value)[0]]
        return {molecules.canonical(each) for each in parsed if each is not None}, []
    if _no_moses():
        return None, [f"No novelty: {_no_moses()}."]
    return set(molecules.moses_smiles("train")), []


def _short_enough(smiles: list[str]) -> list[str]:
    """Returns the strings of at most --max_length characters; all strings if --max_length is 0."""
    return [each for each in smiles if len(each) <= (_MAX_LENGTH.value or len(each))]


def _table(metrics: Mapping[str, float], names: list[str], *, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("metric")
    table.add_column("better")
    table.add_column("samples", justify="right")
    for name in names:
        table.add_column(f"against {_TITLES[name]}", justify="right")
    for name, metric in molecules.OF_SAMPLES.items():
        if name in metrics:
            table.add_row(metric.label, metric.better, f"{metrics[name]:.4f}", *[""] * len(names))
    for name, metric in molecules.AGAINST_REFERENCES.items():
        values = [metrics.get(f"{name}/{each}") for each in names]
        if any(value is not None for value in values):
            table.add_row(metric.label, metric.better, "", *("–" if each is None else f"{each:.4f}" for each in values))
    return table


def _invalid(lines: list[SmilesLine], smiles: list[str]) -> list[str]:
    """Returns sentences that count the lines that are not molecules, by reason, with one example each."""
    reasons: Counter[str] = Counter()
    examples: dict[str, SmilesLine] = {}
    for line, each in zip(lines, smiles, strict=True):
        reason = molecules.why_invalid(each)
        if reason is not None:
            reasons[reason] += 1
            examples.setdefault(reason, line)
    total = sum(reasons.values())
    found = [f"Lines that are not a molecule: {total:,} of {len(lines):,}."]
    for reason, count in reasons.most_common():
        example = examples[reason]
        found.append(f"  {reason}: {count:,}, such as {example.smiles[:60]!r} in {example.place}")
    return found


def _short(metrics: Mapping[str, float], num_lines: int) -> list[str]:
    """Returns sentences on metrics that were computed from fewer molecules than their names state."""
    num_valid = round(metrics["valid"] * num_lines)
    labels = [molecules.OF_SAMPLES[name].label for name, num in _SIZES.items() if name in metrics and num_valid < num]
    if not labels:
        return []
    return [f"Computed from only {num_valid:,} valid molecules, fewer than the name says: {', '.join(labels)}."]


if __name__ == "__main__":
    cli.run(main, files=True)
