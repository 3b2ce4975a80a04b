"""An import into a fresh organisation, on each database."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from consult.contributions.bindings import ProposalsStep
from consult.imports import jobs, mapping, service
from consult.imports.models import ImportBatch, RejectedRow
from consult.questionnaires.bindings import QuestionnaireStep


def no_page(*_arguments: Any) -> str:
    return ""


STEP_KINDS = {"proposals": ProposalsStep(no_page), "questionnaire": QuestionnaireStep(no_page)}


@dataclass
class Import:
    """What a test asks of the importer, and what it then looks at."""

    database: Any
    organisation_id: Any
    folder: Path
    slug: str = "essai"

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run(self, path: Path, mapping_text: str, **options: Any) -> ImportBatch:
        """Import a file under the YAML of a mapping, or under a packaged one given by its name."""
        text = mapping_text if "\n" in mapping_text else mapping.read_text(mapping_text)
        plan = service.plan(path, text)
        options = {"slug": self.slug, "step_kinds": STEP_KINDS, "organisation_id": self.organisation_id} | options
        return jobs.import_file(self.database, plan, **options)

    def undo(self, batch: ImportBatch) -> None:
        jobs.undo_batch(self.database, batch.id, organisation_id=self.organisation_id)

    def all(self, statement: Any) -> list[Any]:
        with self.database.session(write=False, tenant=self.organisation_id) as session:
            return list(session.scalars(statement))

    def count(self, model: Any, *conditions: Any) -> int:
        return self.all(select(func.count()).select_from(model).where(*conditions))[0]

    def rejected(self, batch: ImportBatch) -> list[tuple[int, str]]:
        rows = self.all(select(RejectedRow).where(RejectedRow.batch_id == batch.id).order_by(RejectedRow.line))
        return [(row.line, row.reason) for row in rows]


@pytest.fixture
def importing(database, organisation_id, tmp_path) -> Import:
    """The importer, on each database."""
    return Import(database, organisation_id, tmp_path)
