"""Links and codes that were deleted, and are restored."""

import httpx
import pytest

from tests.api.exchange import Json, new_code, new_link, problem


def listed(api: httpx.Client, path: str, deleted: str) -> list[Json]:
    return list(api.get(path, params={"deleted": deleted}).json()["data"])


@pytest.mark.parametrize("path", ["/links", "/qr-codes"])
def test_a_deleted_thing_is_seen_by_who_asks_for_it_and_is_as_it_was_when_restored(
    api: httpx.Client, stranger: httpx.Client, path: str
) -> None:
    make = new_link if path == "/links" else new_code
    kept, thing = (
        make(api, destination="https://example.com/"),
        make(api, destination="https://example.com/", tags=["a"]),
    )
    at = f"{path}/{thing['id']}"
    assert api.delete(at).status_code == 204
    assert listed(api, path, "exclude") == [kept]
    (found,) = listed(api, path, "only")
    assert {field for field in thing if found[field] != thing[field]} == {"updated_at", "deleted_at"}
    assert found["deleted_at"] == found["updated_at"] > thing["updated_at"]
    assert listed(api, path, "include") == [found, kept]
    problem(api.get(at), 404, "not_found")
    problem(stranger.post(f"{at}/restore"), 404, "not_found")
    restored = api.post(f"{at}/restore")
    assert restored.status_code == 200
    back = restored.json()
    assert {field for field in thing if back[field] != thing[field]} == {"updated_at"}
    assert api.get(at).json() == back
    assert listed(api, path, "only") == []
    # Whoever asks again has nothing changed.
    again = api.post(f"{at}/restore")
    assert (again.json(), again.headers["etag"]) == (back, restored.headers["etag"])


def test_a_restored_link_redirects_again(api: httpx.Client, anyone: httpx.Client) -> None:
    link = new_link(api)
    api.delete(f"/links/{link['id']}")
    assert anyone.get(link["short_url"]).status_code == 410
    api.post(f"/links/{link['id']}/restore")
    assert anyone.get(link["short_url"]).headers["location"] == link["destination"]


def test_a_deleted_codes_picture_and_stats_are_gone_until_it_is_restored(api: httpx.Client) -> None:
    code = new_code(api)
    before = api.get(f"/qr-codes/{code['id']}/image").content
    api.delete(f"/qr-codes/{code['id']}")
    for what in ("image", "stats"):
        problem(api.get(f"/qr-codes/{code['id']}/{what}"), 404, "not_found")
    api.post(f"/qr-codes/{code['id']}/restore")
    assert api.get(f"/qr-codes/{code['id']}/image").content == before
    assert api.get(f"/qr-codes/{code['id']}/stats").status_code == 200
