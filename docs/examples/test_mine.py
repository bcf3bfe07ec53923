"""Your own code, tested without a service: the client takes any transport."""

from sheetrun.client import Client, MockTransport, Request, Response


def status_line(client: Client, job: str) -> str:
    return f"{job} is {client.job(job).state}"


def test_status_line() -> None:
    def answer(request: Request) -> Response:
        return Response.of_json(200, {"id": "job_1", "state": "executing", "running": True})

    client = Client("http://test", "key", transport=MockTransport(answer))
    assert status_line(client, "job_1") == "job_1 is executing"
