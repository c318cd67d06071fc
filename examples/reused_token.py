"""A token that is used for all new connections of ten minutes: RDS throttles new connections, but not those with the same token."""
import os
import threading
import time

import boto3

# RDS accepts a token for 15 minutes. boto3 renews temporary credentials ten minutes before they expire, or earlier.
REUSE_SECONDS = float(os.environ.get('TOKEN_REUSE_SECONDS') or 600)


def reused_token(host, port, user):
    """What a pool calls for the password of each new connection: it signs only when the token gets old."""
    client = boto3.client('rds')  # asks nothing of AWS: a token is signed offline
    lock = threading.Lock()
    token, renew_at = None, 0.0

    def current():
        nonlocal token, renew_at
        with lock:
            if time.monotonic() >= renew_at:
                token = client.generate_db_auth_token(DBHostname=host, Port=int(port), DBUsername=user)
                renew_at = time.monotonic() + REUSE_SECONDS
            return token

    return current
