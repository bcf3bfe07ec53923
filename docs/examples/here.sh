#!/usr/bin/env bash
# A workbook on this machine, with no service.
sheetrun check examples/solar_farm.xlsx
sheetrun run examples/solar_farm.xlsx --set PriceCase=High --set 'Inputs!B14=50%' --get EquityIRR
sheetrun compile examples/solar_farm.xlsx -o solar_farm.py
