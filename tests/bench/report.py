"""report.py - the table on standard output, and bench.json beside it."""
import json

from measure import median_of

UNITS = {"us": (1e3, "ms"), "insn": (1e6, "M")}


class Report:
    """Writes each figure to PATH as a line of JSON and keeps it in `rows`."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")
        self.rows = []

    def title(self, text):
        print(f"\n{text}", flush=True)

    def write(self, **fields):
        self.rows.append(fields)
        print(json.dumps(fields), file=self.file, flush=True)

    def add(self, bench, case, metric, values, base, unit, target=None):
        """One case's values, round by round, beside those of the case it is compared with."""
        ratio, low, high = median_of([v / b for v, b in zip(values, base)])
        value = median_of(values)[0]
        wanted = f"target {target:.2f}" if target else ""
        scale, shown = UNITS["insn" if metric == "insn" else unit]
        scale, shown = (1, unit) if unit == "us" and value < 1e4 else (scale, shown)
        between = "" if metric == "insn" else f"({low:.3f} to {high:.3f})"
        print(f"  {case:40} {metric:5} {ratio:7.3f}  {between:18} {value / scale:10.1f} {shown:2}  {wanted}".rstrip(),
              flush=True)
        self.write(bench=bench, case=case, metric=metric, ratio=round(ratio, 4),
                   low=round(low, 4), high=round(high, 4), value=round(value, 1), unit=unit,
                   target=target)

    def lacks(self, bench, cases, metrics, why):
        """Figures that can't be measured here, and WHY."""
        named = cases[0] if len(cases) == 1 else f"all {len(cases)}"
        print(f"  {named:40} {', '.join(metrics)} not measured: {why}", flush=True)
        for case in cases:
            for metric in metrics:
                self.write(bench=bench, case=case, metric=metric, ratio=None, low=None, high=None,
                           value=None, unit=None, target=None, why=why)
