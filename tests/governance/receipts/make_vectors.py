"""Write tests/governance/receipts/vectors: `python -m tests.governance.receipts.make_vectors`.

Salts are random, so a new run gives other files; they are committed so that verifiers in other languages share them.
"""

import json
from pathlib import Path

from mutx.governance.commitments import ARGS, RESULT, commit
from mutx.governance.dsse import EnvelopeWriter, pae
from mutx.governance.keys import KeyRing
from mutx.governance.receipts import genesis
from mutx.governance.verify import verify_export
from mutx.kit.canonical import canonical
from mutx.services.signing import Ed25519Signer
from tests.governance.receipts.story import SEED, Story, body_of, dump, export, signed, with_body

FOLDER = Path(__file__).parent / "vectors"


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, vectors in (("parts", parts()), ("exports", exports())):
        text = json.dumps(vectors, indent=1, ensure_ascii=True) + "\n"
        (FOLDER / f"{name}.json").write_text(text)


def parts():
    signer = Ed25519Signer(SEED)
    payload = b'{"hello":"w\xc3\xb6rld"}'
    values = [{"b": 1e16, "a": [100.0, -0.0, 1e-7]}, {"\ue000": 1, "\U00010000": 2}, "a\u001b\u007f\u2028/", None]
    salt = bytes(range(16))
    return {
        "key": {"seed": SEED.hex(), "jwk": signer.public_key.jwk()},
        "genesis": [
            {"workspace": workspace, "session": session, "hash": genesis(workspace, session)}
            for workspace, session in (("w-1", "s-1"), ("", ""), ("ä", "\U0001f600"))
        ],
        "commitments": [
            {
                "slot": slot,
                "salt": salt.hex(),
                "canonical": canonical(value).decode(),
                "commitment": commit(slot, salt, value),
            }
            for slot in (ARGS, RESULT)
            for value in values
        ],
        "envelope": {
            "payload": payload.decode(),
            "payloadType": "text/x",
            "pae": pae("text/x", payload).hex(),
            "envelope": EnvelopeWriter("text/x", signer.key_id, signer.sign).write(payload).decode(),
        },
    }


def exports():
    story = Story().every_kind()
    other = Story(session="s-2")
    other.seal()
    other.seal()
    whole = export(story, other)
    file = {name: whole[name] for name in whole if name != "values"}
    receipts = file["receipts"]
    tampered = body_of(receipts[3])
    tampered["decision"]["effect"] = "deny"
    forger = Ed25519Signer(bytes(32))
    values = json.loads(json.dumps(whole["values"]))
    values["r-s-1-2"]["outcome.result"]["value"]["sent"] = False
    revoked = story.ring.revoke(story.signer.key_id, body_of(receipts[5])["at"], "stolen")
    retired = story.ring.retire(story.signer.key_id, body_of(receipts[5])["at"])
    cases = {
        "as exported": (whole, story.ring),
        "values erased": (file, story.ring),
        "no trusted key": (file, KeyRing()),
        "no head": ({name: file[name] for name in file if name != "head"}, story.ring),
        "one changed byte": (file | {"receipts": put(receipts, 3, with_body(receipts[3], tampered))}, story.ring),
        "signed again by another key": (file | {"receipts": put(receipts, 3, signed(tampered, forger))}, story.ring),
        "first deleted": (file | {"receipts": receipts[1:]}, story.ring),
        "truncated": (file | {"receipts": receipts[:-1]}, story.ring),
        "swapped": (file | {"receipts": [receipts[1], receipts[0], *receipts[2:]]}, story.ring),
        "spliced": (file | {"receipts": put(receipts, 1, receipts[8])}, story.ring),
        "duplicated": (file | {"receipts": [receipts[0], *receipts]}, story.ring),
        "value changed": (file | {"values": values}, story.ring),
        "key revoked": (file, revoked),
        "key retired": (file, retired),
        "another key trusted": (file, KeyRing([forger.public_key])),
    }
    return [
        {
            "name": name,
            "trusted": [key.jwk() for key in ring],
            "file": dump(changed).decode(),
            **expected(dump(changed), ring),
        }
        for name, (changed, ring) in cases.items()
    ]


def expected(data, ring):
    report = verify_export(data, ring)
    findings = [{"step": each.step, "position": each.position, "receipt": each.receipt_id} for each in report.findings]
    return {"verdict": report.verdict, "findings": findings}


def put(receipts, index, receipt):
    return [*receipts[:index], receipt, *receipts[index + 1 :]]


if __name__ == "__main__":
    main()
