"""Figures of gradient estimators: bias against variance, and the limits of the relaxation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.reports.figures import new_figure

_LEAST_BIAS = 3e-3
_SHOWN_BIASES, _SHOWN_DEVIATIONS = (2e-3, 5.0), (0.1, 100.0)
_MARKERS = "osv^D<>pPX*hd"
_RELAXED = ("soft", "straight_through", "gumbel_rao", "plain_straight_through")

Cells = Mapping[str, Mapping[str, Any]]


def draw_trade_off(cells: Cells, path: Path) -> None:
    """Draws bias against deviation: one panel per stage, one curve over temperatures per estimator.

    Args:
      cells: results by 'stage/estimator/temperature', each with `bias` and `deviation` as [value, low, high].
      path: the image to write.
    """
    stages, names = _parts(cells, 0), _parts(cells, 1)
    columns = min(3, len(stages))
    rows = -(-len(stages) // columns)
    figure = new_figure(4.2 * columns, 3.6 * rows + 0.8)
    for panel, stage in enumerate(stages):
        axes = figure.add_subplot(rows, columns, panel + 1)
        for index, name in enumerate(names):
            points = _points(cells, stage, name)
            if not points:
                continue
            across = [max(cell["bias"][0], _LEAST_BIAS) for _, cell in points]
            up = [cell["deviation"][0] for _, cell in points]
            style: dict[str, Any] = {"color": f"C{index % 10}", "marker": _MARKERS[index % len(_MARKERS)]}
            style |= {"markersize": 4, "linewidth": 1, "linestyle": "-" if index < 10 else "--"}
            axes.plot(across, up, label=name.replace("_", " "), **style)
            if len(points) > 1:
                axes.plot(across[-1], up[-1], **style | {"markersize": 8, "markerfacecolor": "none"})
        axes.set(xscale="log", yscale="log", xlim=_SHOWN_BIASES, ylim=_SHOWN_DEVIATIONS)
        axes.set_title(stage, fontsize="medium")
        axes.set_xlabel("relative bias")
        axes.set_ylabel("relative deviation, one sequence")
    handles, labels = _legend(figure)
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize="small")
    figure.suptitle(
        "Bias against deviation; temperature falls along a curve, to the ring. Biases below "
        f"{_LEAST_BIAS:g} are drawn there, deviations below {_SHOWN_DEVIATIONS[0]:g} are not shown.",
        fontsize="medium",
    )
    figure.savefig(path, dpi=76)


def draw_limits(cells: Cells, path: Path) -> None:
    """Draws norm, bias and deviation of the relaxed estimators as the temperature goes to its limits.

    Args:
      cells: results as in `draw_trade_off`, with a `norm`.
      path: the image to write.
    """
    stages = [stage for stage in _parts(cells, 0) if stage != "independent"]
    shown = stages[:1] + stages[-1:] if len(stages) > 1 else stages
    figure = new_figure(11, 3.2 * len(shown) + 0.6)
    for row, stage in enumerate(shown):
        for column, (key, title) in enumerate(
            (("norm", "norm of the mean gradient"), ("bias", "bias"), ("deviation", "deviation, one sequence"))
        ):
            axes = figure.add_subplot(len(shown), 3, 3 * row + column + 1)
            for index, name in enumerate(_RELAXED):
                points = _points(cells, stage, name)
                if points:
                    across = [temperature for temperature, _ in points]
                    values = [max(cell[key][0], 1e-3) for _, cell in points]
                    axes.plot(across, values, marker="o", markersize=3, label=name.replace("_", " "), color=f"C{index}")
                    low, high = ([max(cell[key][end], 1e-3) for _, cell in points] for end in (1, 2))
                    axes.fill_between(across, low, high, color=f"C{index}", alpha=0.2, linewidth=0)
            axes.axhline(1.0, color="gray", linewidth=0.8, linestyle=":")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_title(f"{stage}: {title}", fontsize="medium")
            axes.set_xlabel("temperature")
    handles, labels = _legend(figure)
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize="small")
    figure.suptitle(
        "Relative to the norm of the exact gradient (dotted); bands are 95 % intervals, cut at 0.001", fontsize="medium"
    )
    figure.savefig(path, dpi=76)


def _parts(cells: Cells, index: int) -> list[str]:
    return list(dict.fromkeys(key.split("/")[index] for key in cells))


def _points(cells: Cells, stage: str, name: str) -> list[tuple[float, Mapping[str, Any]]]:
    """Returns the results of an estimator in order of falling temperature."""
    found = [(float(key.split("/")[2]), cell) for key, cell in cells.items() if key.split("/")[:2] == [stage, name]]
    return sorted(found, key=lambda point: -point[0])


def _legend(figure: Any) -> tuple[list[Any], list[str]]:
    """Returns the lines of all panels and their labels, each once."""
    found: dict[str, Any] = {}
    for axes in figure.axes:
        for line, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, line)
    return list(found.values()), list(found)
