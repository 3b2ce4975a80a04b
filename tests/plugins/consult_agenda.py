"""A step kind that another team could ship: the public meetings of a consultation. It knows only the protocol."""

from markupsafe import escape


class AgendaStep:
    """Meetings listed in the step's settings."""

    kind = "agenda"
    label = "Rencontres publiques"

    def create(self, session, step) -> None:
        step.settings = {"meetings": [], **step.settings}

    def duplicate(self, session, source, target) -> None:
        target.settings = {"meetings": list(source.settings["meetings"])}

    def rules(self, session, step):
        return {"meetings": step.settings["meetings"]}

    def purge_test_traces(self, session, step) -> int:
        return 0

    def render(self, session, step, actor, now, arguments) -> str:
        meetings = "".join(f"<li>{escape(each)}</li>" for each in step.settings["meetings"])
        return f"<!doctype html><html lang=fr><title>Rencontres</title><h1>Rencontres</h1><ul>{meetings}</ul></html>"

    def census(self, session, step):
        return {"meetings": len(step.settings["meetings"])}
