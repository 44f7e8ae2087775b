"""row.py: a line of the table."""

import statistics


class Row:
    """One line: `measured` are the runs' values; the median of them (or of their ratios to `reference`) is held against
    the target. `sense` is '>=' or '<='."""

    def __init__(self, name, unit, sense, target, measured, reference=None, reference_name="", by_ratio=False):
        self.name, self.unit, self.sense, self.target = name, unit, sense, target
        self.measured = statistics.median(measured)
        self.spread = (min(measured), max(measured))
        self.reference = statistics.median(reference) if reference else None
        self.reference_name, self.by_ratio = reference_name, by_ratio
        self.ratio = None
        if reference:
            self.ratio = statistics.median(m / r for m, r in zip(measured, reference))

    def met(self):
        value = self.ratio if self.by_ratio else self.measured
        if self.target is None:
            return None
        return value >= self.target if self.sense == ">=" else value <= self.target
