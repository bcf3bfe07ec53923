"""What the template promises of every resource that it makes: closed, encrypted, and no role with a right to everything."""

from __future__ import annotations

from typing import Any

import pytest

from sheetrun.local.deploying import load_template

RESOURCES: dict[str, Any] = load_template()["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    return {name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == kind}


def test_the_bucket_is_closed_to_the_public_and_encrypted() -> None:
    (bucket,) = of_type("AWS::S3::Bucket").values()
    assert set(bucket["PublicAccessBlockConfiguration"]) == {
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "IgnorePublicAcls",
        "RestrictPublicBuckets",
    }
    assert all(value is True for value in bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_the_bucket_takes_no_request_without_tls() -> None:
    (policy,) = of_type("AWS::S3::BucketPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(statement["Resource"]) == 2


@pytest.mark.parametrize("name", of_type("AWS::SQS::Queue"))
def test_every_queue_is_encrypted_and_gives_up_into_another(name: str) -> None:
    queue = of_type("AWS::SQS::Queue")[name]
    assert queue["SqsManagedSseEnabled"] is True
    assert ("RedrivePolicy" in queue) != name.endswith("DeadLetters")


def test_the_table_is_encrypted_and_can_be_brought_back() -> None:
    (table,) = of_type("AWS::DynamoDB::Table").values()
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_each_function_has_a_role_of_its_own_with_named_rights() -> None:
    functions = of_type("AWS::Serverless::Function")
    roles = [function["Role"]["Fn::GetAtt"] for function in functions.values()]
    assert len({str(role) for role in roles}) == len(functions)
    for name, role in of_type("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role, name
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        for statement in (one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]):
            assert statement["Effect"] == "Allow"
            assert not any("*" in action for action in statement["Action"]), (name, statement["Sid"])
            assert statement["Resource"] != "*", (name, statement["Sid"])
