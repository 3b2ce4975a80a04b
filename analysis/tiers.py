"""Which unit of work (UO) of the contract a billable count falls in, for open questions and their synthesis.

Non-responses are not billed. For coding: UO 2.4.4 under 1,000 contributions, 2.4.5 up to 5,000, 2.4.6 up to 10,000,
then 2.4.6 with one UO 2.4.8 for each further 2,000 begun, and 2.4.7 beyond 50,000. For the synthesis: 2.4.9.1 up to
5,000, 2.4.9.2 up to 10,000, 2.4.9.3 up to 50,000, 2.4.9.4 beyond; level and existing framework (A to D) are not
a matter of count.
"""

from dataclasses import dataclass

from analysis.errors import AnalysisError

SMALL = 1_000
MEDIUM = 5_000
LARGE = 10_000
HUGE = 50_000
SLICE = 2_000


@dataclass(frozen=True)
class Tier:
    """The units of a billable count: `coding` with `slices` times UO 2.4.8, and `synthesis`.

    `automatic` tells whether the contract makes automatic processing compulsory; `lower` and `upper` bound the counts
    of the same coding unit, `upper` None beyond 50,000.
    """

    billable: int
    coding: str
    slices: int
    synthesis: str
    automatic: bool
    lower: int
    upper: int | None


def tier(billable: int) -> Tier:
    """The tier of a billable count. Raises AnalysisError for a negative count."""
    if billable < 0:
        raise AnalysisError(f"Nombre de contributions facturables {billable} : il ne peut pas être négatif.")
    synthesis = next(
        (f"2.4.9.{rank}" for rank, most in enumerate((MEDIUM, LARGE, HUGE), start=1) if billable <= most), "2.4.9.4"
    )
    if billable < SMALL:
        return Tier(billable, "2.4.4", 0, synthesis, automatic=False, lower=0, upper=SMALL - 1)
    if billable <= MEDIUM:
        return Tier(billable, "2.4.5", 0, synthesis, automatic=False, lower=SMALL, upper=MEDIUM)
    if billable <= LARGE:
        return Tier(billable, "2.4.6", 0, synthesis, automatic=True, lower=MEDIUM + 1, upper=LARGE)
    if billable <= HUGE:
        slices = -(-(billable - LARGE) // SLICE)
        lower = LARGE + (slices - 1) * SLICE + 1
        return Tier(billable, "2.4.6", slices, synthesis, automatic=True, lower=lower, upper=lower + SLICE - 1)
    return Tier(billable, "2.4.7", 0, synthesis, automatic=True, lower=HUGE + 1, upper=None)


def words(found: Tier) -> str:
    """The tier in French, as a result shows it."""
    slices = f" + {found.slices} × UO 2.4.8" if found.slices else ""
    return f"UO {found.coding}{slices} ; synthèse UO {found.synthesis}"
