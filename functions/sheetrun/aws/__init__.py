"""The ports on AWS: DynamoDB, S3, SQS. The only room with botocore."""
