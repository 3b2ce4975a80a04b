"""A question kind as another package would bring it: one to five stars."""

from wtforms import SelectField

from consult.questionnaires.kinds.base import MAIN, Group, Kind, nothing

STARS = {str(count): "★" * count for count in range(1, 6)}


class Stars(Kind):
    """One to five stars."""

    name = "stars"
    label = "Étoiles"
    about = "De une à cinq étoiles."

    def read(self, question, sent):
        """The stars that were chosen."""
        return nothing() | {"options": [value for value in sent.values if value]}

    def check(self, question, given):
        """One to five, once."""
        return None if given["options"] and given["options"][0] in STARS else "Choisissez de une à cinq étoiles."

    def fields(self, question, label, description):
        """A list."""
        choices = [("", "Aucune"), *STARS.items()]
        return {MAIN: SelectField(label, choices=choices, description=description)}

    def values(self, question, given):
        """The stars."""
        return {MAIN: "".join(given["options"])}

    def shown(self, question, given):
        """The stars themselves."""
        return [STARS[key] for key in given["options"]]

    def groups(self, question):
        """By number of stars."""
        return [Group(STARS, without="")]
