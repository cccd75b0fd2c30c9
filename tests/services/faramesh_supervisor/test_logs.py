"""What children print is kept whole as far as it is harmless, and bounded."""

import json
from pathlib import Path

from mutx.kit.clock import ManualClock
from mutx.services.faramesh_supervisor.logs import MAX_FILE, MAX_LINE, PER_SECOND, RedactedLog, read_log, secrets_of

PEM = b"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n"


def opened(path: Path, *secrets: str, clock: ManualClock | None = None) -> RedactedLog:
    return RedactedLog(path, secrets, clock or ManualClock())


def messages(path: Path) -> list[str]:
    return [line["message"] for line in read_log(path, 1000)]


def test_lines_come_in_pieces_from_two_streams(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = opened(path)
    log.feed("stdout", b"one\r\ntw")
    log.feed("stderr", b"oops\n")
    log.feed("stdout", b"o\nthree")
    log.close()
    found = [(line["stream"], line["message"]) for line in read_log(path, 10)]
    assert found == [("stdout", "one"), ("stderr", "oops"), ("stdout", "two"), ("stdout", "three")]
    assert [line["message"] for line in read_log(path, 2)] == ["two", "three"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_log(tmp_path / "none", 5) == []


def test_secrets_are_hidden_by_look_by_name_and_by_value(tmp_path: Path) -> None:
    env = {"TOKEN_OF_SHOP": "quiet-horse", "PLAIN": "plain-value", "DB": "postgresql://u:pw123@h/d", "PASSWORD": "abc"}
    secrets = secrets_of(env)
    assert set(secrets) == {"quiet-horse", "postgresql://u:pw123@h/d"}
    path = tmp_path / "log"
    log = opened(path, *secrets)
    log.feed("stdout", b"it is quiet-horse, not plain-value\npassword=hush\nmutx_agent_0123456789\n" + PEM + b"after\n")
    log.close()
    said = messages(path)
    assert said[0] == "it is [redacted], not plain-value"
    assert "hush" not in said[1]
    assert "0123456789" not in said[2]
    assert said[3:] == ["[redacted]"] * 4 + ["after"]


def test_a_long_line_loses_its_end_with_the_word_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log = opened(path)
    log.feed(
        "stdout", b"x" * (MAX_LINE - 10) + b" begin-of-a-secret" * 1000 + b"\nnext\n" + b"y" * 2 * MAX_LINE + b"\n"
    )
    log.close()
    long, following, one_word = messages(path)
    assert long.endswith("x [cut off]")
    assert following == "next"
    assert one_word == " [cut off]"


def test_a_flood_is_counted_and_left_out(tmp_path: Path) -> None:
    path, clock = tmp_path / "log", ManualClock()
    log = opened(path, clock=clock)
    log.feed("stdout", b"first\nhalf of a li")
    log.feed("stdout", b"drop\n" * (PER_SECOND // 5))
    clock.advance(1.0)
    log.feed("stdout", b"ne\nlater\n")
    log.feed("stderr", b"x\n" * PER_SECOND)
    log.close()
    assert messages(path) == [
        "first",
        f"{PER_SECOND // 5} lines were left out: too many at once",
        "later",
        f"{PER_SECOND} lines were left out: too many at once",
    ]


def test_a_log_keeps_two_files_and_no_more(tmp_path: Path) -> None:
    path, clock = tmp_path / "log", ManualClock()
    log = opened(path, clock=clock)
    for number in range(60):
        log.feed("stdout", b"".join(b"%d %s\n" % (number, b"ab " * 100) for _ in range(200)))
        clock.advance(1.0)
    log.close()
    assert {file.name for file in tmp_path.iterdir()} == {"log", "log.1"}
    assert all(file.stat().st_size <= MAX_FILE for file in tmp_path.iterdir())
    assert messages(path)[-1].startswith("59 ")
    assert len(read_log(path, 1000)) == 1000


def test_a_line_that_is_being_written_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(json.dumps({"at": 1, "stream": "stdout", "message": "whole"}).encode() + b'\n{"at": 2, "str')
    assert messages(path) == ["whole"]
