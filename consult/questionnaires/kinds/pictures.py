"""Choices among options that each show a picture."""

from __future__ import annotations

from typing import Final

from consult.questionnaires.kinds.base import label_faults
from consult.questionnaires.kinds.choices import Choice, Multiple, Single
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import OptionKind

MOST_PICTURES: Final = 12  # of 24 kB at most: a page stays light


class _Pictured(Choice):
    """What they share: few options, whose pictures are given once the question is saved."""

    pictured = True

    def faults(self, draft: QuestionDraft) -> dict[str, str]:
        """See Kind."""
        labels = [label for label, role in self.labelled(draft) if role is OptionKind.NORMAL]
        return super().faults(draft) or label_faults("options", labels, least=2, most=MOST_PICTURES, thing="réponse")


class PictureSingle(_Pictured, Single):
    """One option, all of them shown by a picture."""

    name = "picture_single"
    label = "Choix unique en images"
    about = f"Une réponse parmi des images, {MOST_PICTURES} au plus, chacune avec son texte de remplacement."


class PictureMultiple(_Pictured, Multiple):
    """Several options, each shown by a picture, within limits."""

    name = "picture_multiple"
    label = "Choix multiple en images"
    about = f"Plusieurs réponses parmi des images, {MOST_PICTURES} au plus, chacune avec son texte de remplacement."
