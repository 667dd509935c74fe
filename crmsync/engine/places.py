"""Federal states and cantons of Germany, Austria and Switzerland: CentralStation keeps their codes, GHL whatever was typed. And the names
of countries that people type where a code is wanted.

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

_COUNTRIES = {
    "DE": "deutschland germany brd d ger deu bundesrepublik_deutschland federal_republic_of_germany",
    "AT": "österreich oesterreich austria a aut",
    "CH": "schweiz switzerland suisse svizzera che",
    "LI": "liechtenstein fl",
    "LU": "luxemburg luxembourg lux",
    "NL": "niederlande netherlands the_netherlands holland nld",
    "BE": "belgien belgium bel",
    "FR": "frankreich france fra",
    "IT": "italien italy italia ita",
    "ES": "spanien spain españa esp",
    "PT": "portugal prt",
    "GB": "großbritannien grossbritannien great_britain united_kingdom vereinigtes_königreich england scotland schottland wales uk gbr",
    "IE": "irland ireland irl",
    "DK": "dänemark daenemark denmark dnk",
    "SE": "schweden sweden swe",
    "NO": "norwegen norway nor",
    "FI": "finnland finland fin",
    "IS": "island iceland isl",
    "PL": "polen poland polska pol",
    "CZ": "tschechien tschechische_republik czechia czech_republic cze",
    "SK": "slowakei slovakia svk",
    "HU": "ungarn hungary hun",
    "SI": "slowenien slovenia svn",
    "HR": "kroatien croatia hrv",
    "RS": "serbien serbia srb",
    "BA": "bosnien_und_herzegowina bosnia_and_herzegovina bih",
    "RO": "rumänien rumaenien romania rou",
    "BG": "bulgarien bulgaria bgr",
    "GR": "griechenland greece grc",
    "TR": "türkei tuerkei turkey türkiye tur",
    "UA": "ukraine ukr",
    "EE": "estland estonia est",
    "LV": "lettland latvia lva",
    "LT": "litauen lithuania ltu",
    "CY": "zypern cyprus cyp",
    "MT": "malta mlt",
    "US": "usa united_states united_states_of_america vereinigte_staaten vereinigte_staaten_von_amerika u.s.a u.s",
    "CA": "kanada canada can",
    "AU": "australien australia aus",
    "NZ": "neuseeland new_zealand nzl",
    "IL": "israel isr",
    "AE": "vereinigte_arabische_emirate united_arab_emirates uae",
    "IN": "indien india ind",
    "CN": "china chn",
    "JP": "japan jpn",
    "BR": "brasilien brazil bra",
    "MX": "mexiko mexico mex",
    "ZA": "südafrika suedafrika south_africa zaf",
}
COUNTRY_NAMES = {name.replace("_", " "): code for code, names in _COUNTRIES.items() for name in names.split()}
"""ISO 3166-1 code by what people write instead, folded."""


def state_code(value: str, country: str | None) -> str | None:
    """The code of a state given as code or name; None when `country` has no such state, or isn't one of the three."""
    folded = value.strip().casefold().removeprefix(f"{country}-".casefold())
    for code, names in STATES.get((country or "").upper(), {}).items():
        if folded == code.casefold() or folded in (name.casefold() for name in names):
            return code
    return None
