"""The peer's front: a file in, the id of its job out; the job's state and, when it is done, its values."""

import os
import uuid
from typing import Any

from celery_tasks import app as celery
from celery_tasks import calculate
from fastapi import FastAPI, UploadFile

UPLOADS = os.environ["BENCH_UPLOADS"]
api = FastAPI()


@api.post("/jobs")
async def submit(file: UploadFile) -> dict[str, str]:
    job = uuid.uuid4().hex
    path = f"{UPLOADS}/{job}.xlsx"
    with open(path, "wb") as out:
        out.write(await file.read())
    calculate.apply_async((path,), task_id=job)
    return {"id": job}


@api.get("/jobs/{job}")
async def status(job: str) -> dict[str, Any]:
    found = celery.AsyncResult(job)
    return {"state": found.state, "cells": found.result if found.state == "SUCCESS" else None}
