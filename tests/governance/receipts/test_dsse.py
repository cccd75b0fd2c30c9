"""DSSE envelopes: the protocol's own example, and one byte form."""

import base64
import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from mutx.governance.dsse import EnvelopeWriter, pae, parse
from mutx.kit.errors import VerificationFailed


def test_the_pre_authentication_encoding_of_the_protocol():
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("", b"") == b"DSSEv1 0  0 "
    assert pae("é", b"x") == b"DSSEv1 2 \xc3\xa9 1 x"


@given(st.binary(max_size=50), st.text(alphabet=st.characters(codec="utf-8")), st.binary(min_size=64, max_size=64))
def test_what_is_written_is_canonical_and_reads_back(payload, text, signature):
    signed = []
    data = EnvelopeWriter(text, text, lambda message: signed.append(message) or signature).write(payload)
    assert signed == [pae(text, payload)]
    assert rfc8785.dumps(json.loads(data)) == data
    envelope = parse(data)
    assert (envelope.payload, envelope.payload_type) == (payload, text)
    assert (envelope.key_id, envelope.signature) == (text, signature)


SIGNATURE = base64.b64encode(bytes(64)).decode()


@pytest.mark.parametrize(
    "text",
    [
        '{"payload":"AA==","payloadType":"t","signatures":[]}',
        '{"payload":"AB==","payloadType":"t","signatures":[{"keyid":"k","sig":"%s"}]}',
        '{"payload":"AA","payloadType":"t","signatures":[{"keyid":"k","sig":"%s"}]}',
        '{"payload":"A A=","payloadType":"t","signatures":[{"keyid":"k","sig":"%s"}]}',
        '{"payload":"AA==","payloadType":"t","signatures":[{"keyid":"k","sig":"AA=="}]}',
        '{"payload":"AA==", "payloadType":"t","signatures":[{"keyid":"k","sig":"%s"}]}',
        '{"payloadType":"t","payload":"AA==","signatures":[{"keyid":"k","sig":"%s"}]}',
        '{"payload":"AA==","payload":"AA==","payloadType":"t","signatures":[{"keyid":"k","sig":"%s"}]}',
        '{"payload":"AA==","payloadType":"t","signatures":[{"keyid":"k","sig":"%s","alg":"none"}]}',
        '{"payload":"AA==","payloadType":"\\ud800","signatures":[{"keyid":"k","sig":"%s"}]}',
        '{"payload":"AA==","payloadType":"\\u0074","signatures":[{"keyid":"k","sig":"%s"}]}',
        '{"payload":"é","payloadType":"t","signatures":[{"keyid":"k","sig":"%s"}]}',
        "[]",
        "",
    ],
)
def test_any_other_form_is_refused(text):
    with pytest.raises(VerificationFailed):
        parse(text.replace("%s", SIGNATURE).encode())


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(VerificationFailed):
        parse(b'{"payload":"\xff"}')
