"""Receives messages: CARILLON_TOKEN=… python3 receive.py NAME

Needs the package websockets 10.1 or later (Debian: python3-websockets).
"""

import asyncio
import json
import os
import sys

import websockets

URL = os.environ.get("CARILLON_URL", "http://127.0.0.1:9093").replace("http", "ws", 1)
TOKEN = os.environ.get("CARILLON_TOKEN", "")
FOR_GOOD = {4001: "a newer client took this name", 4003: "the name was removed", 4403: "the token is wrong"}


async def handle(message):
    print(message["text"], message["desp"], flush=True)


async def receive(name):
    last = None
    async for socket in websockets.connect(URL):  # comes back by itself, waiting longer each time
        try:
            await send(socket, "AUTH", {"token": TOKEN, "name": name})
            async for frame in socket:
                packet = json.loads(frame)
                cmd, data = packet["cmd"], packet.get("data")
                if cmd == "AUTH" and data["code"] != 200:
                    sys.exit(data["msg"])
                if cmd != "MESSAGE":
                    continue
                if data["mid"] != last:  # one whose ack got lost comes again
                    await handle(data["message"])
                    last = data["mid"]
                await send(socket, "MESSAGE_CALLBACK", {"mid": data["mid"]})  # the sender reads ok
        except websockets.ConnectionClosed as closed:
            if closed.rcvd and closed.rcvd.code in FOR_GOOD:
                sys.exit(FOR_GOOD[closed.rcvd.code])


def send(socket, cmd, data):
    return socket.send(json.dumps({"cmd": cmd, "data": data}))


if __name__ == "__main__":
    asyncio.run(receive(sys.argv[1]))
