"""boto3, the aws command and storage3 from PyPI, unmodified, against the instance of SELFDB_ENV_FILE."""

import io
import os
import subprocess
import sys
import unittest
import urllib.request
import uuid
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from supabase import create_client


def read_env(path):
    with open(path, encoding="utf-8") as lines:
        pairs = (line.strip().partition("=") for line in lines if "=" in line and not line.startswith("#"))
        return {name: value for name, _, value in pairs}


ENV = read_env(os.environ["SELFDB_ENV_FILE"])
URL = f"http://localhost:{ENV['API_PORT']}"
ENDPOINT = f"{URL}/storage/v1/s3"
ACCESS_KEY, SECRET_KEY = ENV["S3_PROTOCOL_ACCESS_KEY_ID"], ENV["S3_PROTOCOL_ACCESS_KEY_SECRET"]


def s3(access_key=ACCESS_KEY, secret=SECRET_KEY, token=None):
    return boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name="local",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


def code(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


class Boto3(unittest.TestCase):
    def setUp(self):
        self.client = s3()
        self.bucket = f"boto-{uuid.uuid4()}"
        self.client.create_bucket(Bucket=self.bucket)

    def test_objects(self):
        client, bucket = self.client, self.bucket
        self.assertIn(bucket, [one["Name"] for one in client.list_buckets()["Buckets"]])
        client.head_bucket(Bucket=bucket)
        self.assertEqual(code(client.head_bucket, Bucket="no-such-bucket"), "404")
        body = os.urandom(100_000)
        put = client.put_object(Bucket=bucket, Key="f/a b+c.bin", Body=body, ContentType="text/x-a", CacheControl="max-age=9", Metadata={"colour": "red"})
        head = client.head_object(Bucket=bucket, Key="f/a b+c.bin")
        self.assertEqual((head["ContentLength"], head["ContentType"], head["Metadata"], head["ETag"]), (100_000, "text/x-a", {"colour": "red"}, put["ETag"]))
        got = client.get_object(Bucket=bucket, Key="f/a b+c.bin")
        self.assertEqual(got["Body"].read(), body)
        part = client.get_object(Bucket=bucket, Key="f/a b+c.bin", Range="bytes=10-19")
        self.assertEqual((part["Body"].read(), part["ContentRange"]), (body[10:20], "bytes 10-19/100000"))
        self.assertEqual(code(client.get_object, Bucket=bucket, Key="f/a b+c.bin", IfNoneMatch=put["ETag"]), "304")
        self.assertEqual(code(client.put_object, Bucket=bucket, Key="f/a b+c.bin", Body=b"x", IfNoneMatch="*"), "PreconditionFailed")
        self.assertEqual(code(client.get_object, Bucket=bucket, Key="none"), "NoSuchKey")
        client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "f/a b+c.bin"})
        self.assertEqual(client.get_object(Bucket=bucket, Key="copy")["Body"].read(), body)
        for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"]:
            try:
                client.put_object(Bucket=bucket, Key=algorithm, Body=body, ChecksumAlgorithm=algorithm)
            except Exception as error:  # an algorithm that this Python has not
                if "awscrt" not in str(error).lower() and "crt" not in str(error).lower():
                    raise
        self.assertEqual(client.get_bucket_location(Bucket=bucket)["LocationConstraint"], None)
        keys = [{"Key": one["Key"]} for one in client.list_objects_v2(Bucket=bucket)["Contents"]]
        deleted = client.delete_objects(Bucket=bucket, Delete={"Objects": keys + [{"Key": "none"}]})
        self.assertEqual(len(deleted["Deleted"]), len(keys) + 1)
        client.delete_bucket(Bucket=bucket)

    def test_lists(self):
        client, bucket = self.client, self.bucket
        for n in range(7):
            client.put_object(Bucket=bucket, Key=f"d {n % 2}/{n}&x", Body=b"x")
        client.put_object(Bucket=bucket, Key="top", Body=b"x")
        for operation in ["list_objects_v2", "list_objects"]:
            pages = client.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
            keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
            self.assertEqual(keys, sorted([f"d {n % 2}/{n}&x" for n in range(7)] + ["top"]), operation)
            pages = client.get_paginator(operation).paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1})
            prefixes, keys = [], []
            for page in pages:
                prefixes += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
                keys += [one["Key"] for one in page.get("Contents", [])]
            self.assertEqual((prefixes, keys), (["d 0/", "d 1/"], ["top"]), operation)
        under = client.list_objects_v2(Bucket=bucket, Prefix="d 1/", StartAfter="d 1/1&x")
        self.assertEqual([one["Key"] for one in under["Contents"]], ["d 1/3&x", "d 1/5&x"])

    def test_multipart(self):
        client, bucket = self.client, self.bucket
        body = os.urandom(20_000_000)
        client.upload_fileobj(io.BytesIO(body), bucket, "large")
        into = io.BytesIO()
        client.download_fileobj(bucket, "large", into)
        self.assertEqual(into.getvalue(), body)
        self.assertIn("-", client.head_object(Bucket=bucket, Key="large")["ETag"])
        begun = client.create_multipart_upload(Bucket=bucket, Key="parts")
        upload = {"Bucket": bucket, "Key": "parts", "UploadId": begun["UploadId"]}
        one = client.upload_part(**upload, PartNumber=1, Body=body[:6_000_000])
        two = client.upload_part_copy(**upload, PartNumber=2, CopySource={"Bucket": bucket, "Key": "large"}, CopySourceRange="bytes=0-99")
        self.assertEqual([part["PartNumber"] for part in client.list_parts(**upload)["Parts"]], [1, 2])
        self.assertEqual([one["Key"] for one in client.list_multipart_uploads(Bucket=bucket)["Uploads"]], ["parts"])
        parts = [{"PartNumber": 1, "ETag": one["ETag"]}, {"PartNumber": 2, "ETag": two["CopyPartResult"]["ETag"]}]
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        self.assertEqual(client.get_object(Bucket=bucket, Key="parts")["Body"].read(), body[:6_000_000] + body[:100])
        begun = client.create_multipart_upload(Bucket=bucket, Key="gone")
        upload = {"Bucket": bucket, "Key": "gone", "UploadId": begun["UploadId"]}
        client.abort_multipart_upload(**upload)
        self.assertEqual(code(client.upload_part, **upload, PartNumber=1, Body=b"x"), "NoSuchUpload")

    def test_presigned_and_form(self):
        client, bucket = self.client, self.bucket
        url = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "p"}, ExpiresIn=60)
        urllib.request.urlopen(urllib.request.Request(url, data=b"presigned", method="PUT"))
        url = client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "p"}, ExpiresIn=60)
        self.assertEqual(urllib.request.urlopen(url).read(), b"presigned")
        with self.assertRaises(urllib.error.HTTPError):
            urllib.request.urlopen(url.replace("/p?", "/q?"))
        post = client.generate_presigned_post(bucket, "form/${filename}", Conditions=[["content-length-range", 1, 100]], ExpiresIn=60)
        edge = "edge"
        lines = []
        for name, value in post["fields"].items():
            lines += [f"--{edge}", f'Content-Disposition: form-data; name="{name}"', "", value]
        lines += [f"--{edge}", 'Content-Disposition: form-data; name="file"; filename="f.txt"', "", "by form", f"--{edge}--", ""]
        request = urllib.request.Request(post["url"], data="\r\n".join(lines).encode(), method="POST", headers={"content-type": f"multipart/form-data; boundary={edge}"})
        self.assertEqual(urllib.request.urlopen(request).status, 204)
        self.assertEqual(client.get_object(Bucket=bucket, Key="form/f.txt")["Body"].read(), b"by form")

    def test_session_tokens_and_wrong_keys(self):
        self.client.put_object(Bucket=self.bucket, Key="secret", Body=b"secret")
        anon = s3("project", ENV["ANON_KEY"], ENV["ANON_KEY"])
        self.assertEqual(code(anon.get_object, Bucket=self.bucket, Key="secret"), "NoSuchKey")
        self.assertEqual(code(anon.put_object, Bucket=self.bucket, Key="mine", Body=b"x"), "AccessDenied")
        admin = s3("project", ENV["ANON_KEY"], ENV["SERVICE_ROLE_KEY"])
        self.assertEqual(admin.get_object(Bucket=self.bucket, Key="secret")["Body"].read(), b"secret")
        self.assertEqual(code(s3(secret="x" * 40).get_object, Bucket=self.bucket, Key="secret"), "SignatureDoesNotMatch")
        self.assertEqual(code(s3("project", ENV["ANON_KEY"]).get_object, Bucket=self.bucket, Key="secret"), "AccessDenied")


class AwsCommand(unittest.TestCase):
    def aws(self, *args, data=None):
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": "local"}
        command = [sys.executable, str(Path(sys.executable).parent / "aws"), "--endpoint-url", ENDPOINT, *args]
        done = subprocess.run(command, input=data, capture_output=True, env=environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout

    def test_the_command(self):
        bucket = f"s3://aws-{uuid.uuid4()}"
        self.aws("s3", "mb", bucket)
        body = os.urandom(9_000_000)
        self.aws("s3", "cp", "-", f"{bucket}/f/large.bin", data=body)
        self.assertEqual(self.aws("s3", "cp", f"{bucket}/f/large.bin", "-"), body)
        self.assertIn(b"large.bin", self.aws("s3", "ls", f"{bucket}/f/"))
        self.aws("s3", "mv", f"{bucket}/f/large.bin", f"{bucket}/moved.bin")
        self.aws("s3", "rb", "--force", bucket)


class Storage3(unittest.TestCase):
    def test_every_method(self):
        storage = create_client(URL, ENV["SERVICE_ROLE_KEY"]).storage
        name = f"py3-{uuid.uuid4()}"
        storage.create_bucket(name, options={"public": True, "file_size_limit": 1_000_000})
        self.assertEqual(storage.get_bucket(name).id, name)
        self.assertIn(name, [bucket.id for bucket in storage.list_buckets()])
        storage.update_bucket(name, {"public": True, "file_size_limit": 2_000_000})
        files = storage.from_(name)
        files.upload("f/a.txt", b"one", {"content-type": "text/plain", "cache-control": "60"})
        files.update("f/a.txt", b"two", {"content-type": "text/plain"})
        self.assertEqual(files.download("f/a.txt"), b"two")
        self.assertEqual(files.info("f/a.txt")["size"], 3)
        self.assertTrue(files.exists("f/a.txt"))
        files.copy("f/a.txt", "f/b.txt")
        files.move("f/b.txt", "f/c.txt")
        self.assertEqual(sorted(entry["name"] for entry in files.list("f")), ["a.txt", "c.txt"])
        signed = files.create_signed_url("f/a.txt", 60)["signedURL"]
        self.assertEqual(urllib.request.urlopen(signed).read(), b"two")
        self.assertEqual(len(files.create_signed_urls(["f/a.txt", "f/c.txt"], 60)), 2)
        upload = files.create_signed_upload_url("f/d.txt")
        files.upload_to_signed_url("f/d.txt", upload["token"], b"four")
        self.assertEqual(urllib.request.urlopen(files.get_public_url("f/d.txt").rstrip("?")).read(), b"four")
        self.assertEqual(len(files.remove(["f/a.txt", "f/c.txt"])), 2)
        storage.empty_bucket(name)
        storage.delete_bucket(name)


if __name__ == "__main__":
    unittest.main()
