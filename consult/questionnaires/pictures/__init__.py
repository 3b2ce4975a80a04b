"""Pictures of options: given while the consultation is a draft, frozen at opening, served to whoever may read it."""
