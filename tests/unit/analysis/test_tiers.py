import pytest

from analysis.errors import AnalysisError
from analysis.tiers import tier, words


@pytest.mark.parametrize(
    ("billable", "coding", "slices", "synthesis", "automatic"),
    [
        (0, "2.4.4", 0, "2.4.9.1", False),
        (999, "2.4.4", 0, "2.4.9.1", False),
        (1_000, "2.4.5", 0, "2.4.9.1", False),
        (1_001, "2.4.5", 0, "2.4.9.1", False),
        (5_000, "2.4.5", 0, "2.4.9.1", False),
        (5_001, "2.4.6", 0, "2.4.9.2", True),
        (10_000, "2.4.6", 0, "2.4.9.2", True),
        (10_001, "2.4.6", 1, "2.4.9.3", True),
        (12_000, "2.4.6", 1, "2.4.9.3", True),
        (12_001, "2.4.6", 2, "2.4.9.3", True),
        (50_000, "2.4.6", 20, "2.4.9.3", True),
        (50_001, "2.4.7", 0, "2.4.9.4", True),
        (1_000_000, "2.4.7", 0, "2.4.9.4", True),
    ],
)
def test_at_u4_5_the_tier_follows_the_billable_count(billable, coding, slices, synthesis, automatic):
    found = tier(billable)
    assert (found.coding, found.slices, found.synthesis, found.automatic) == (coding, slices, synthesis, automatic)
    assert found.lower <= billable
    assert found.upper is None or billable <= found.upper


def test_the_tier_is_told_in_french():
    assert words(tier(12_001)) == "UO 2.4.6 + 2 × UO 2.4.8 ; synthèse UO 2.4.9.3"
    assert words(tier(10)) == "UO 2.4.4 ; synthèse UO 2.4.9.1"


def test_a_negative_count_is_refused():
    with pytest.raises(AnalysisError, match="négatif"):
        tier(-1)
