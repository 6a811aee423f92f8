"""The closed table of kinds of rules."""

from collections.abc import Mapping
from typing import Final

from ingest.rules.claim_kinds import CLAIM_KINDS
from ingest.rules.kind import RuleKind
from ingest.rules.note_kinds import NOTE_KINDS
from ingest.rules.number_kinds import NUMBER_KINDS
from ingest.rules.past_kinds import PAST_KINDS

KINDS: Final[Mapping[str, RuleKind]] = {
    kind.name: kind for kind in (*CLAIM_KINDS, *NOTE_KINDS, *NUMBER_KINDS, *PAST_KINDS)
}
"""Every kind that a document may name."""
