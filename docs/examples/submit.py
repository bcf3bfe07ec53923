"""A workbook through a service: other inputs in, results out. Uses SHEETRUN_URL and SHEETRUN_KEY."""

from sheetrun.client import Client, JobFailed

with Client() as client:
    job = client.submit("examples/solar_farm.xlsx", inputs={"PriceCase": "High", "InterestRate": 0.04})
    try:
        job = client.wait(job, timeout=120, on_progress=lambda news: print(news.state))
    except JobFailed as failure:
        raise SystemExit(str(failure)) from None

    values = client.values(job)
    print("Equity IRR", values["Dashboard!B8"])
    client.fetch(job, "workbook", to="solar_farm.recalculated.xlsx")
    client.fetch(job, "report", to="solar_farm.report.html")
