"""A workbook as an object, here and with no service. In a notebook each of these shows itself."""

import pandas

import sheetrun

model = sheetrun.load("examples/solar_farm.xlsx")
print(model)
print(model.calculate({"PriceCase": "High"}, ["EquityIRR", "EquityNPV"]))

rates = pandas.DataFrame({"DiscountRate": [0.05, 0.06, 0.07]})
print(model.scenarios(rates, ["EquityNPV"]))
