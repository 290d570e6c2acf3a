"""Sends a message and says how far it got: CARILLON_TOKEN=… python3 send.py NAME TEXT"""

import json
import os
import sys
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("CARILLON_URL", "http://127.0.0.1:9093")
TOKEN = os.environ.get("CARILLON_TOKEN", "")


def push(name, text, key=None):
    """Returns how far it got with each name. With the same key it may be called again without harm."""
    packet = {"cmd": "MESSAGE", "data": {"sendType": "personal", "target": name, "message": {"text": text}}}
    headers = {
        "authorization": f"Bearer {TOKEN}",
        "content-type": "application/json",
        "idempotency-key": key or str(uuid.uuid4()),
    }
    request = urllib.request.Request(URL, json.dumps(packet).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


if __name__ == "__main__":
    try:
        print(push(*sys.argv[1:3]))  # {'me': 'ok'}: its program has the message
    except urllib.error.HTTPError as refused:
        sys.exit(json.load(refused)["data"])
