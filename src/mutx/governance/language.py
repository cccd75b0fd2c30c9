"""Is a text in English, as far as the words that every sentence has tell?"""

import re

_LETTERS = re.compile(r"[^\W\d_]+")
_FOREIGN = frozenset(
    "il lo gli che di della dello delle dei del nel nella sono non per con una uno si questo questa prego subito le la les des "
    "du et est pas pour avec dans sur une ce cette vous nous votre notre veuillez tout der die das den dem ein eine einen und "
    "ist nicht mit auf bitte sie wir ihr von zu zum zur el los las y es por para esta este usted su sus una favor o os um uma "
    "não nao com em seu sua este esta het een van voor niet met aan dat deze wij je och att det som inte jag du ett till og "
    "ikke med på av i w na nie proszę jest się że na ve bir bu için lütfen ja ei että yang dan untuk dari ke dengan ini itu naar "
    "alle alles op door deze nem hogy az egy aby jako všechny pentru din către și kaikki sekä alla är har skal".split()
)
_ENGLISH = frozenset(
    "the of to and is are was were that this it its for with as by from at be been has have had not or but if you your we our "
    "i my me he his she her they their will would can could should must may please all any there here what which when who how "
    "do does did so than then them into about after before a an in on".split()
)
_PLEASE = frozenset(
    "bitte veuillez merci prego prosze proszę prosím prosim lütfen lutfen harap tolong mohon vänligen venligst vennligst graag "
    "alstublieft favor kérem kerem hyvä".split()
)
"""By themselves they ask for something."""
_FEW = 2
_NO_NAME = 16
"""Letters of another script that are more than a name."""
_SENTENCE_WORDS = 4
_BEYOND_LATIN = "\u0370"
"""From Greek on: other alphabets and scripts."""


def is_foreign(sentence: str) -> bool:
    """Is it in a language that nobody here reads? Then it may order anything."""
    if not sentence.isascii():
        beyond = sum(char.isalpha() and char >= _BEYOND_LATIN for char in sentence)
        if beyond >= _NO_NAME and 2 * beyond > sum(map(str.isalpha, sentence)):
            return True
    every = _LETTERS.findall(sentence.casefold())
    if len(every) < _SENTENCE_WORDS:
        return False
    foreign = sum(word in _FOREIGN for word in every)
    ascii_only, asks = sentence.isascii(), not _PLEASE.isdisjoint(every)
    if foreign < _FEW and ascii_only and not asks:
        return False
    english = sum(word in _ENGLISH for word in every)
    if foreign >= _FEW:
        return foreign > english
    if asks:
        return english <= (not ascii_only)
    # An English sentence without one of its most frequent words is a rare thing.
    return not english and (foreign > 0 or len(every) > _SENTENCE_WORDS) and any(not word.isascii() for word in every)
