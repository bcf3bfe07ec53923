"""LocalStack and SAM: the template on a second AWS-compatible service, with functions in containers of the Lambda image.

``python -m infra.localstack`` (or ``make test-localstack``) makes what it needs, deploys with SAM, and runs the end-to-end
tests; ``compose.yaml`` is for whoever has Docker and wants the service there.
"""
