"""What two arms show by cluster: a customer, a market, a group of rounds counts once, however many rounds it has.

Rounds of one cluster hang together, and a thousand of them may be the luck of a dozen customers. What was drawn by lot
is the arm of a cluster, so that is what chance is judged by: if the arms are alike, the sum of the clusters' means
about their common mean, each with the sign of its arm, has every sign by the toss of a coin and is sub-Gaussian with
the sum of their squares, for any payoffs and any number of clusters (Hoeffding's lemma for signs; Howard, Ramdas,
McAuliffe, Sekhon, arXiv:1810.08240, table 3, "Rademacher"). That holds at any one look; for many, as clusters come and
their means settle, it was simulated: 0 to 2 % of A/A runs over early, late and uneven clusters were called apart.

What was known of a cluster before it was assigned takes out of its mean what that predicts (CUPED: Deng, Xu, Kohavi,
Walker, *Improving the sensitivity of online controlled experiments by utilizing pre-experiment data*, WSDM 2013,
equations 2 to 4), by one slope for both arms: the signs have no part in it, so it can't favour either.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any, Final, NamedTuple

from console.domain.statistics.boundary import Boundary

MAX_CLUSTERS: Final = 2048
"""Clusters an experiment keeps, by when they came; rounds of later ones are counted and say nothing."""
WATCHED: Final = 512
"""Units kept where no cluster is named: enough to see that a unit has several rounds, which makes it a cluster."""


class ClusterView(NamedTuple):
    """What the clusters show.

    Args:
        estimate: B less A, a cluster's mean return each.
        reach: how far the interval goes to either side; infinite while an arm has no cluster.
        a, b: clusters of each.
        known_before: clusters whose rounds before the assignment are known.
        reduction: by what share these lower the variance, 0 to 1.
    """

    estimate: float
    reach: float
    a: int
    b: int
    known_before: int
    reduction: float


class Clusters:
    """One value a cluster, kept up to date round by round, in constant time.

    Args:
        most: clusters kept.
    """

    __slots__ = ("_most", "_rows", "_sums", "left_out", "repeated")

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: dict[str, list[Any]] = {}
        """Key → whether B, rounds, sum of returns, mean before the assignment or None."""
        self._sums = [[0.0] * 5, [0.0] * 5, [0.0] * 4, [0.0]]
        """Of A and of B: clusters, of known ones, means, means before, rounds; of both: products; squared rounds."""
        self.left_out = 0
        self.repeated = False

    def add(self, key: str, b: bool, value: float, before: float | None) -> bool:
        """One round of a cluster; true where it is the cluster's first.

        Args:
            key: of the cluster.
            b: its arm, always the same.
            value: the round's return.
            before: the cluster's mean return before it was assigned; None where nothing is known. Only what is said
                with its first round counts.
        """
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= self._most:
                self.left_out += 1
                return False
            row = self._rows[key] = [b, 0, 0.0, before]
        else:
            self.repeated = True
            self._count(row, -1.0)
        row[1] += 1
        row[2] += value
        self._count(row, 1.0)
        return bool(row[1] == 1)

    def _count(self, row: list[Any], sign: float) -> None:
        b, rounds, total, before = row
        mean = total / rounds
        arm, both = self._sums[1 if b else 0], self._sums[2]
        arm[0] += sign
        arm[2] += sign * mean
        arm[4] += sign * rounds
        both[0] += sign * mean * mean
        self._sums[3][0] += sign * rounds * rounds
        if before is not None:
            arm[1] += sign
            arm[3] += sign * before
            both[1] += sign * mean * before
            both[2] += sign * mean
            both[3] += sign * before * before

    def view(self, boundary: Boundary) -> ClusterView:
        """Where they stand, by a one-sided boundary for either side."""
        (of_a, known_a, means_a, before_a, _ra), (of_b, known_b, means_b, before_b, _rb) = self._sums[:2]
        squares, products, means_known, squares_before = self._sums[2]
        clusters, known = of_a + of_b, known_a + known_b
        if not of_a or not of_b:
            return ClusterView(0.0, inf, int(of_a), int(of_b), int(known), 0.0)
        variance = max(0.0, squares - (means_a + means_b) ** 2 / clusters)
        estimate, reduction = means_b / of_b - means_a / of_a, 0.0
        if known > 2:
            usual = (before_a + before_b) / known
            spread = squares_before - known * usual * usual
            together = products - usual * means_known
            if spread > 1e-12 * squares_before and variance > 0.0:
                slope = together / spread
                estimate -= slope * ((before_b - known_b * usual) / of_b - (before_a - known_a * usual) / of_a)
                reduction = min(1.0, together * together / spread / variance)
        reach = boundary.reach(variance * (1.0 - reduction)) * clusters / (2.0 * of_a * of_b)
        return ClusterView(estimate, reach, int(of_a), int(of_b), int(known), reduction)

    def uneven(self, boundary: Boundary) -> bool:
        """Whether the rounds of a cluster are more in one arm than chance would have them: some were left out."""
        (of_a, _ka, _ma, _ba, rounds_a), (of_b, _kb, _mb, _bb, rounds_b) = self._sums[:2]
        if not of_a or not of_b:
            return False
        clusters = of_a + of_b
        variance = max(0.0, self._sums[3][0] - (rounds_a + rounds_b) ** 2 / clusters)
        apart = abs(rounds_b / of_b - rounds_a / of_a) * 2.0 * of_a * of_b / clusters
        return variance > 0.0 and apart > boundary.reach(variance)

    def state(self) -> dict[str, Any]:
        """What `restore` goes on from, as plain JSON values."""
        rows = {key: [int(b), *rest] for key, (b, *rest) in self._rows.items()}
        return {"rows": rows, "sums": [list(sums) for sums in self._sums], "left_out": self.left_out}

    def restore(self, state: Any) -> None:
        """Go on from a state of clusters with the same settings."""
        rows: Mapping[str, Any] = state["rows"]
        for key, (b, rounds, total, before) in rows.items():
            count, sum_of, known = int(rounds), float(total), None if before is None else float(before)
            if count < 1 or not isfinite(sum_of) or not isfinite(known or 0.0):
                raise ValueError("a cluster without a round, or a sum that is none")
            self._rows[str(key)] = [bool(b), count, sum_of, known]
        self.repeated = any(row[1] > 1 for row in self._rows.values())
        first, second, both, squared = ([float(number) for number in sums] for sums in state["sums"])
        if (len(first), len(second), len(both), len(squared)) != (5, 5, 4, 1):
            raise ValueError("sums of other clusters")
        if not all(isfinite(number) for number in (*first, *second, *both, *squared)):
            raise ValueError("a sum that is none")
        self._sums = [first, second, both, squared]
        self.left_out = int(state["left_out"])
