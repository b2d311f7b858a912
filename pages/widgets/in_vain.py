"""What the address asks for in vain: a sentence for each place of a page, until the visitor's next choice."""

from collections.abc import Mapping

import streamlit as st

from cnn_core.wording import plain

_SENTENCES = "asked_in_vain"


def say(place: str, sentence: str) -> None:
    """Remember a sentence, in the place of the one before."""
    st.session_state.setdefault(_SENTENCES, {})[place] = sentence


def say_unknown(place: str, unknown: Mapping[str, str], where: str = "below") -> None:
    """Remember that no control offers these values, by their names in the address. The controls stand `where`."""
    named = " and ".join(f"“{f'{name}={text}'[:40]}”" for name, text in unknown.items())
    fault, used = ("is not one of", "default is") if len(unknown) == 1 else ("are not among", "defaults are")
    say(place, f"The address asks for {named}, which {fault} the choices {where}. The {used} used instead.")


def said(*places: str) -> str:
    """Return the sentences of these places."""
    sentences = st.session_state.get(_SENTENCES, {})
    return " ".join(sentences[place] for place in places if place in sentences)


def show(place: str) -> None:
    """Draw the sentence of a place, if there is one."""
    if sentence := said(place):
        st.warning(plain(sentence))


def forget(*places: str) -> None:
    """Forget the sentences of these places, or all: every control of the address calls it when it is changed."""
    sentences = st.session_state.get(_SENTENCES, {})
    for place in places or list(sentences):
        sentences.pop(place, None)
