PAGE = ""


def document(base: str, settings: object) -> dict[str, object]:
    return {}
