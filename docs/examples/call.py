"""A workbook as an API: called with other inputs, explained, and asked for the price that a return needs."""

from sheetrun.client import Client

with Client() as client:
    model = client.wait(client.submit("examples/solar_farm.xlsx"), timeout=120).id
    high = client.calculate(model, {"PriceCase": "High"}, ["EquityIRR", "EquityNPV"], explain=["EquityIRR"])
    print(f"Equity IRR {high['EquityIRR']:.3f}, from {len(high.explain['EquityIRR']['steps'])} cells")
    price = client.goal_seek(model, "EquityIRR", 0.18, "PPAPrice", bounds=(20, 200))
    print(f"Equity IRR 0.18 needs a price of {price.input:.2f}")
