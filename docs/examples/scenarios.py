"""Ten thousand futures of a workbook on a service: how likely is a loss, and what decides it?"""

from sheetrun.client import Client

with Client() as client:
    model = client.wait(client.submit("examples/solar_farm.xlsx"), timeout=120)
    job = client.scenarios(
        model,
        sample={
            "InterestRate": {"triangular": [0.03, 0.045, 0.08]},
            "CapexRate": {"normal": [620, 40]},
            "PriceCase": {"discrete": [["Low", 0.3], ["Base", 0.5], ["High", 0.2]]},
        },
        count=10_000,
        seed=7,
        correlations=[("InterestRate", "CapexRate", 0.3)],
        outputs=["EquityNPV", "EquityIRR"],
    )
    client.wait(job, timeout=300)

    summary = client.summary(job)
    print("P5 of the equity's value:", round(summary["outputs"]["EquityNPV"]["percentiles"]["p5"]))
    for bar in summary["tornado"]["EquityNPV"]:
        print(bar["input"], round(bar["low"]), round(bar["high"]))
    client.fetch(job, "parquet", to="futures.parquet")
    client.fetch(job, "report", to="futures.html")
