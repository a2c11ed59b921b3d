"""Exports a finished run's generator to a file that opens without this project; writes its weights and a model card.

python -m experiments.export --workdir=DIR --output=NAME.zip [--index=I] [--checkpoint=last|best]

For a run on pairs, the programs in the file take sources as an argument, and include greedy decoding.
"""

from experiments import interrupts

with interrupts.imports(__name__):
    from pathlib import Path

    import jax
    import numpy as np
    from absl import flags

    from experiments import cli
    from experiments.run import card, pairs, provenance, restore_flags
    from experiments.run.directory import RunDirectory
    from experiments.run.restore import replica_state, restore
    from experiments.run.summary import read_summary
    from experiments.run.texts import one_line, write_text
    from gumbel_gan import export, saving

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of a finished run.", required=True)
_OUTPUT = flags.DEFINE_string(
    "output",
    None,
    "The file to write, NAME.zip; load_NAME.py, NAME.safetensors and NAME.md are written beside it.",
    required=True,
)
_INDEX = restore_flags.define_index()
_CHECKPOINT = restore_flags.define_checkpoint()
_PLATFORM = restore_flags.define_platform()

_NUM_SHOWN = 10


def main() -> None:
    """Exports the generator as set by the flags."""
    with cli.one_line_errors():
        file = Path(_OUTPUT.value)
        cli.check_output_file(_OUTPUT.value, "--output")
        page = file.with_suffix(".md")
        if page.exists() and not page.read_text(encoding="utf-8", errors="replace").startswith(card.TITLE):
            raise ValueError(f"--output must not be beside a file of yours, {page.name}, where its card would be")
        summary = read_summary(RunDirectory(_WORKDIR.value))
        restored = restore(_WORKDIR.value, platform=_PLATFORM.value, checkpoint=_CHECKPOINT.value)
        if restored.step != summary.steps:
            raise ValueError(
                f"--workdir must hold the checkpoint of step {summary.steps}, which its summary describes, but its "
                f"newest is of step {restored.step}; train --resume makes it again"
            )
        state = replica_state(restored, _INDEX.value)
    task, model = restored.experiment.task, restored.experiment.model
    params = restored.experiment.algorithm.params(state)
    digest = provenance.data_digest(task)
    known = provenance.of_run(restored.run.read_config(), task, summary, restored.checkpoint, digest)
    about = provenance.of_replica(known, _INDEX.value)
    with cli.one_line_errors():
        _, loader = export.export_model(file, task, model, params, about=about)
        weights = saving.save(file.with_suffix(".safetensors"), task, model, params, about=about)
        sources = pairs.sample_conditions(task, restored.config.heldout)
        condition = None if sources is None else sources[np.arange(_NUM_SHOWN) % len(sources)]
        tokens = np.asarray(model.sample(jax.random.key(0), params, _NUM_SHOWN, condition=condition))
        samples = pairs.with_sources(task, task.decode(tokens), restored.config.heldout)
        text = card.model_card(
            file,
            task,
            about,
            num_params=sum(leaf.size for leaf in jax.tree.leaves(params)),
            has_latent=model.generator.sample_latent is not None,
            strings=[one_line(string) for string in samples],
        )
        write_text(page, text)
    for path in (file, loader, weights, page):
        print(path)


if __name__ == "__main__":
    cli.run(main)
