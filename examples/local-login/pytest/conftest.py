"""Read, not run: a local database for a session of pytest, and the environment of an application."""
import os
import re
import subprocess

import pytest

CLI = ['npx', 'cdk-aurora-iam-auth-cli']


@pytest.fixture(scope='session', autouse=True)
def local_database():
    app = os.environ.get('CDK_OUT', 'cdk.out')
    up = subprocess.run([*CLI, 'up', app, '--user', 'orders', '--detach'], check=True, text=True, stdout=subprocess.PIPE)
    with open(re.match(r"\. '(.+)' #", up.stdout)[1], encoding='utf8') as file:
        variables = re.findall(r"^export (\w+)='(.*)'$", file.read(), re.MULTILINE)
    for name in [name for name in os.environ if re.match('PG|AWS_', name)]:
        del os.environ[name]
    os.environ.update(variables)
    yield
    subprocess.run([*CLI, 'down'], check=True)
