#!/usr/bin/env bash
# A workbook through a service with curl and jq. Uses SHEETRUN_URL and SHEETRUN_KEY.
set -eu
api() { curl --fail-with-body --silent --show-error -H "x-api-key: $SHEETRUN_KEY" "$@"; }

# 1. Create the job; the answer says where to send the file.
job=$(api "$SHEETRUN_URL/v1/jobs" -H "content-type: application/json" \
  -d '{"filename": "solar_farm.xlsx", "inputs": {"PriceCase": "High"}}')
id=$(jq -r .id <<<"$job")

# 2. Send the file straight to the object store: the fields first, the file last.
form=()
while read -r field; do form+=(--form-string "$field"); done \
  < <(jq -r '.upload.fields | to_entries[] | "\(.key)=\(.value)"' <<<"$job")
curl --fail-with-body --silent --show-error "${form[@]}" -F "file=@examples/solar_farm.xlsx" \
  "$(jq -r .upload.url <<<"$job")"

# 3. Wait: each request is held until there is news.
until jq -e '.running | not' <<<"$job" >/dev/null; do
  job=$(api "$SHEETRUN_URL/v1/jobs/$id?wait=20")
done
jq '{state, report: (.report | {formulas, matched, mismatched, unsupported}), error}' <<<"$job"

# 4. A result is a redirect to the object store.
api --location "$SHEETRUN_URL/v1/jobs/$id/results/values" | jq '.cells["Dashboard!B8"]'
