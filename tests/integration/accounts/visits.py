"""Forms sent as a browser sends them."""

import base64
import json
import re
import threading

from altcha import v1 as altcha

from tests import factories as f


def link(text: str) -> str:
    """The path of the first long link of a mail."""
    return re.search(r"https?://[^/\s]+(/\S*/[\w-]{40,})", text)[1]


def solve(client) -> str:
    """A browser's answer to the challenge."""
    asked = client.get("/inscription/defi").get_json()
    challenge = altcha.Challenge(
        asked["algorithm"], asked["challenge"], asked["maxNumber"], asked["salt"], asked["signature"]
    )
    number = altcha.solve_challenge(challenge).number
    answer = {key: asked[key] for key in ("algorithm", "challenge", "salt", "signature")} | {"number": number}
    return base64.b64encode(json.dumps(answer).encode()).decode()


def hidden(html: str, name: str) -> str:
    """The value of a hidden field."""
    tag = re.search(rf'<input[^>]*name="{name}"[^>]*>', html)[0]
    return re.search(r'value="([^"]*)"', tag)[1]


def post(client, path, *, page=None, headers=None, **data):
    """Send a form after opening the page that holds it."""
    token = f.csrf_token_on(client, page or path)
    return client.post(path, data={"csrf_token": token, **data}, headers=headers)


def sign_up(client, **data):
    """Fill the sign-up form as a person with JavaScript does."""
    data = {
        "pseudonym": "Zéphyr",
        "email": "zephyr@exemple.fr",
        "password": f.PASSWORD,
        "terms": "y",
        "proof": solve(client),
    } | data
    return post(client, "/inscription", **data)


def race(app, client, path, token, passwords) -> list[int]:
    """The statuses of a password form sent at once, with the same token, with each of these passwords."""
    cookies = {"Cookie": f"form={client.get_cookie('form').value}"}
    statuses = []

    def send(password):
        data = {"csrf_token": token, "password": password}
        statuses.append(app.test_client(use_cookies=False).post(path, data=data, headers=cookies).status_code)

    threads = [threading.Thread(target=send, args=(password,)) for password in passwords]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)
