"""Makes a key, and users and roles with policies, on a server that checks them. Arguments: its address, and what is wanted as JSON."""

import json
import sys

import botocore.session

url, wanted = sys.argv[1], json.loads(sys.argv[2])
session = botocore.session.Session()


def client(name):
    owner = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return session.create_client(name, region_name="eu-west-2", endpoint_url=url, **owner)


if "policies" not in wanted:
    key = client("kms").create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    print(json.dumps({"key": key["KeyId"], "arn": key["Arn"]}))
    sys.exit()

iam, policies = client("iam"), wanted["policies"]
read = {"Effect": "Allow", "Action": "kms:GetPublicKey", "Resource": wanted["arn"]}
read = {"Version": "2012-10-17", "Statement": [read]}
iam.create_user(UserName="reader")
iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(read))
access = iam.create_access_key(UserName="reader")["AccessKey"]
trust = json.dumps(policies["trust"])
role = iam.create_role(RoleName="signing", AssumeRolePolicyDocument=trust)["Role"]
iam.put_role_policy(RoleName="signing", PolicyName="sign", PolicyDocument=json.dumps(policies["iam"]))
print(
    json.dumps(
        {"role": role["Arn"], "reader": access["AccessKeyId"], "reader_secret": access["SecretAccessKey"]}
    )
)
