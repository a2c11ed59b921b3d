"""Submits many runs to a Slurm cluster, one job each, with submitit (the extra `slurm`).

python -m experiments.launch.submit --workdir=runs/seeds --num_jobs=4 --partition=gpu

Each job trains eight seeds of the default recipe in its own process. submitit requeues a job that is preempted or out
of time, and the run is then resumed. This file is an example to copy and change.
"""

import subprocess
import sys
from pathlib import Path

import submitit
from absl import app, flags

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the runs.", required=True)
_NUM_JOBS = flags.DEFINE_integer("num_jobs", 4, "Number of runs.", lower_bound=1)
_PARTITION = flags.DEFINE_string("partition", None, "Slurm's partition; None is the cluster's default.")
_CLUSTER = flags.DEFINE_string("cluster", None, "'local' runs the jobs here, for a trial; None finds Slurm.")


class Train:
    """A run that submitit can submit and requeue."""

    def __call__(self, workdir: str, seed: int) -> int:
        """Trains or resumes the run in its own process; returns the exit status of that process."""
        begins = ["--config.num_seeds=8", f"--config.seed={seed}"]
        rest = ["--resume"] if (Path(workdir) / "config.json").exists() else begins
        return subprocess.run(
            [sys.executable, "-m", "experiments.train", f"--workdir={workdir}", *rest], check=False
        ).returncode

    def checkpoint(self, workdir: str, seed: int) -> submitit.helpers.DelayedSubmission:
        """Returns the submission that submitit requeues when a job is preempted."""
        return submitit.helpers.DelayedSubmission(self, workdir, seed)


def main(_: list[str]) -> None:
    """Submits the jobs, and waits for them."""
    executor = submitit.AutoExecutor(folder=Path(_WORKDIR.value) / "jobs", cluster=_CLUSTER.value)
    executor.update_parameters(timeout_min=240, gpus_per_node=1, cpus_per_task=8, slurm_partition=_PARTITION.value)
    with executor.batch():
        jobs = [executor.submit(Train(), f"{_WORKDIR.value}/{number}", 8 * number) for number in range(_NUM_JOBS.value)]
    for job in jobs:
        print(job.job_id, job.result())


if __name__ == "__main__":
    app.run(main)
