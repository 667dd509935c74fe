"""Texts of the systems that staff read. They are marked here and translated where they are shown, for this room knows no Django."""


def gettext_noop(message: str) -> str:
    """Marks `message` for translation; `makemessages` knows the name."""
    return message
