"""Federal states and cantons of Germany, Austria and Switzerland: CentralStation keeps their codes, GHL whatever was typed.

The codes are ISO 3166-2 without the country. What isn't here can't be told apart from a misspelling and stays as it is.
"""

from __future__ import annotations

STATES: dict[str, dict[str, tuple[str, ...]]] = {
    "DE": {
        "BW": ("Baden-Württemberg",),
        "BY": ("Bayern", "Bavaria"),
        "BE": ("Berlin",),
        "BB": ("Brandenburg",),
        "HB": ("Bremen",),
        "HH": ("Hamburg",),
        "HE": ("Hessen", "Hesse"),
        "MV": ("Mecklenburg-Vorpommern",),
        "NI": ("Niedersachsen", "Lower Saxony"),
        "NW": ("Nordrhein-Westfalen", "North Rhine-Westphalia", "NRW"),
        "RP": ("Rheinland-Pfalz", "Rhineland-Palatinate"),
        "SL": ("Saarland",),
        "SN": ("Sachsen", "Saxony"),
        "ST": ("Sachsen-Anhalt", "Saxony-Anhalt"),
        "SH": ("Schleswig-Holstein",),
        "TH": ("Thüringen", "Thuringia"),
    },
    "AT": {
        "1": ("Burgenland",),
        "2": ("Kärnten", "Carinthia"),
        "3": ("Niederösterreich", "Lower Austria"),
        "4": ("Oberösterreich", "Upper Austria"),
        "5": ("Salzburg",),
        "6": ("Steiermark", "Styria"),
        "7": ("Tirol", "Tyrol"),
        "8": ("Vorarlberg",),
        "9": ("Wien", "Vienna"),
    },
    "CH": {
        "AG": ("Aargau",),
        "AI": ("Appenzell Innerrhoden",),
        "AR": ("Appenzell Ausserrhoden",),
        "BE": ("Bern",),
        "BL": ("Basel-Landschaft",),
        "BS": ("Basel-Stadt",),
        "FR": ("Freiburg", "Fribourg"),
        "GE": ("Genf", "Genève", "Geneva"),
        "GL": ("Glarus",),
        "GR": ("Graubünden",),
        "JU": ("Jura",),
        "LU": ("Luzern", "Lucerne"),
        "NE": ("Neuenburg", "Neuchâtel"),
        "NW": ("Nidwalden",),
        "OW": ("Obwalden",),
        "SG": ("St. Gallen", "Sankt Gallen"),
        "SH": ("Schaffhausen",),
        "SO": ("Solothurn",),
        "SZ": ("Schwyz",),
        "TG": ("Thurgau",),
        "TI": ("Tessin", "Ticino"),
        "UR": ("Uri",),
        "VD": ("Waadt", "Vaud"),
        "VS": ("Wallis", "Valais"),
        "ZG": ("Zug",),
        "ZH": ("Zürich", "Zurich"),
    },
}


def state_code(value: str, country: str | None) -> str | None:
    """The code of a state given as code or name; None when `country` has no such state, or isn't one of the three."""
    folded = value.strip().casefold().removeprefix(f"{country}-".casefold())
    for code, names in STATES.get((country or "").upper(), {}).items():
        if folded == code.casefold() or folded in (name.casefold() for name in names):
            return code
    return None
