"""What is kept of answers, and until when."""

from datetime import UTC, datetime

import pytest

from server.domain.ids import id_text
from server.domain.label import Label
from server.domain.model import Account, AccountId, QrCodeId
from server.edge.image import MAX_ANSWERS, Answer, ImageAnswers

ANSWER = Answer(Account(id=AccountId(1), name=Label("Test"), created_at=datetime.now(UTC)), "etag", [], [])


def path(code: int) -> str:
    return f"/v1/qr-codes/{id_text('qr', code)}/image"


@pytest.fixture
def answers() -> ImageAnswers:
    answers = ImageAnswers(most=4)
    answers.changed(None)
    return answers


def test_nothing_is_kept_as_long_as_nobody_tells_of_changes(answers: ImageAnswers) -> None:
    answers.put(path(1), b"", ANSWER, answers.changes)
    assert answers.get(path(1), b"") is ANSWER
    answers.lost()
    answers.put(path(2), b"", ANSWER, answers.changes)
    assert (answers.get(path(1), b""), answers.get(path(2), b"")) == (None, None)


def test_a_change_drops_all_answers_of_the_code_and_no_others(answers: ImageAnswers) -> None:
    for code, query in ((1, b""), (1, b"size=300"), (2, b"")):
        answers.put(path(code), query, ANSWER, answers.changes)
    answers.changed([QrCodeId(1), QrCodeId(3)])
    assert [answers.get(path(1), b""), answers.get(path(1), b"size=300")] == [None, None]
    assert answers.get(path(2), b"") is ANSWER


def test_an_answer_from_before_a_change_is_not_kept(answers: ImageAnswers) -> None:
    asked = answers.changes
    answers.changed([QrCodeId(1)])
    answers.put(path(1), b"", ANSWER, asked)
    assert answers.get(path(1), b"") is None


def test_no_more_is_kept_than_there_is_room_for(answers: ImageAnswers) -> None:
    for code in range(20):
        answers.put(path(code), b"", ANSWER, answers.changes)
        assert len(answers) <= 4
    assert answers.get(path(19), b"") is ANSWER
    queries = [str(number).encode() for number in range(3 * MAX_ANSWERS)]
    for query in queries:
        answers.put(path(19), query, ANSWER, answers.changes)
        assert answers.get(path(19), query) is ANSWER
    assert sum(answers.get(path(19), query) is not None for query in queries) <= MAX_ANSWERS
