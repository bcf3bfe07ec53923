"""Models on the embedded service with IAM enforced: described, called, explained, sought, replaced, compared."""

from __future__ import annotations

import io
import threading
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.datavalidation import DataValidation

from sheetrun.service.access import Access
from tests.e2e.conftest import Client

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def loan(factor: int = 12, rate: float = 0.06) -> bytes:
    book = openpyxl.Workbook()
    inputs = book.active
    inputs.title = "Inputs"
    for row, (label, value) in enumerate((("Rate", rate), ("Months", 24), ("Amount", 1000)), 1):
        inputs.cell(row, 1, label)
        inputs.cell(row, 2, value)
    inputs["B1"].number_format = "0.0%"
    rule = DataValidation(type="decimal", operator="between", formula1="0", formula2="1")
    rule.add("B1")
    inputs.add_data_validation(rule)
    model = book.create_sheet("Model")
    model["A1"], model["B1"] = "Payment", f"=-PMT(Inputs!B1/{factor},Inputs!B2,Inputs!B3)"
    model["A2"], model["B2"] = "Interest", "=B1*Inputs!B2-Inputs!B3"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def made(client: Client, data: bytes, **body: Any) -> str:
    job = client.submit({"filename": "loan.xlsx", **body})
    assert client.upload(job, data).status_code == 204
    done = client.until(job["id"])
    assert done["state"] == "succeeded", done["error"]
    return str(done["id"])


def payment(rate: float, months: int = 24) -> float:
    return 1000 * (rate / 12) / (1 - (1 + rate / 12) ** -months)


@pytest.fixture(scope="module")
def model(client: Client) -> str:
    return made(client, loan())


def post(client: Client, model: str, what: str, **body: Any) -> Any:
    answer = client.call("POST", f"/v1/models/{model}/{what}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_a_model_takes_and_gives(client: Client, model: str) -> None:
    found = client.call("GET", f"/v1/models/{model}").json()
    assert [entry["reference"] for entry in found["inputs"]] == ["Inputs!B1", "Inputs!B2", "Inputs!B3"]
    assert found["inputs"][0] == {
        "reference": "Inputs!B1",
        "name": None,
        "label": "Rate",
        "type": "number",
        "value": 0.06,
        "format": "0.0%",
        "unit": "%",
        "validation": {"kind": "decimal", "minimum": 0, "maximum": 1},
    }
    assert found["outputs"][0]["label"] == "Interest"
    assert found["outputs"][0]["value"] == pytest.approx(payment(0.06) * 24 - 1000), "computed: the file had no value"
    own = client.call("GET", f"/v1/models/{model}/openapi.json").json()
    assert own["info"]["title"] == "loan.xlsx"
    assert client.job(model)["urls"]["model"].endswith(f"/v1/models/{model}")


def test_a_model_is_called_explained_and_sought(client: Client, model: str) -> None:
    found = post(client, model, "calculate", inputs={"Inputs!B1": 0.12}, outputs=["Model!B2"], explain=True)
    assert found["outputs"]["Model!B2"] == pytest.approx(payment(0.12) * 24 - 1000)
    steps = [step["cell"] for step in found["explain"]["Model!B2"]["steps"]]
    assert steps[-2:] == ["Model!B1", "Model!B2"] or steps[-1] == "Model!B2"
    goal = {"output": "Model!B1", "target": 46, "input": "Inputs!B1", "bounds": [0.001, 0.9]}
    assert payment(post(client, model, "goal-seek", **goal)["input"]["value"]) == pytest.approx(46)
    table = post(client, model, "data-table", row={"Inputs!B1": [0.06, 0.12]}, outputs=["Model!B1"])
    assert table["tables"]["Model!B1"] == [[pytest.approx(payment(0.06)), pytest.approx(payment(0.12))]]


def test_refusals_are_problems(client: Client, model: str, access: Access) -> None:
    answer = client.call("POST", f"/v1/models/{model}/calculate", json={"inputs": {"Inputs!B1": 7, "Model!B1": 1}})
    assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json; charset=utf-8")
    assert {error["cell"]: error["code"] for error in answer.json()["errors"]} == {
        "Inputs!B1": "not_allowed",
        "Model!B1": "formula_cell",
    }
    rival = Client(client.url, access.create("rival"))
    assert rival.call("POST", f"/v1/models/{model}/calculate", json={}).status_code == 404
    assert rival.call("GET", f"/v1/models/{model}").status_code == 404
    nobody = Client(client.url, "sr_none")
    assert nobody.call("POST", f"/v1/models/{model}/calculate", json={}).status_code == 401
    assert client.call("GET", f"/v1/models/{model}/calculate").status_code == 405
    assert client.call("POST", f"/v1/models/{model}/calculate", data="{").status_code == 400


def test_calls_at_once_do_not_see_each_other(client: Client, model: str, access: Access) -> None:
    rival = Client(client.url, access.create("rival"))
    other = made(rival, loan(rate=0.5))
    wrong: list[Any] = []

    def call(who: Client, where: str, rate: float) -> None:
        for _ in range(5):
            found = post(who, where, "calculate", inputs={"Inputs!B1": rate}, outputs=["Model!B1", "Inputs!B1"])
            if found["outputs"] != {"Model!B1": pytest.approx(payment(rate)), "Inputs!B1": rate}:
                wrong.append((rate, found))

    threads = [
        threading.Thread(target=call, args=(who, where, rate))
        for who, where, rate in ((client, model, 0.1), (client, model, 0.2), (rival, other, 0.3), (rival, other, 0.4))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert post(client, model, "calculate", outputs=["Inputs!B1"])["outputs"] == {"Inputs!B1": 0.06}


def test_a_new_version_keeps_the_address(client: Client) -> None:
    first = made(client, loan())
    made(client, loan(factor=4, rate=0.08), replaces=first)
    assert post(client, first, "calculate", outputs=["Inputs!B1"])["outputs"] == {"Inputs!B1": 0.08}
    assert post(client, first, "calculate", outputs=["Inputs!B1"], version=1)["outputs"] == {"Inputs!B1": 0.06}
    versions = client.call("GET", f"/v1/models/{first}/versions").json()
    assert [each["version"] for each in versions["versions"]] == [2, 1]
    found = client.call("GET", f"/v1/models/{first}/diff", params={"from": 1, "to": 2}).json()
    assert [change["cells"] for change in found["formulas"]] == ["Model!B1"]
    assert [change["cell"] for change in found["inputs"]] == ["Inputs!B1"]
    assert found["outputs"][0]["causes"] == ["Model!B1", "Inputs!B1"]
