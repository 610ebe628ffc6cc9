"""What looks like a secret is hidden wherever words leave their origin, and what is none stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.secrets import is_secret_name, without_secrets

S = "S3cr3tS3cr3tS3cr3tS3cr3tS3cr3tS3cr3t"

LEAKS = [
    f"Error connecting to redis://:p@ss{S}@h:6379/0.",
    f"redis://h/0?password={S}",
    f"DSN https://{S}@o1.ingest.example/1",
    f"https://discord.com/api/webhooks/123456789012345678/{S}",
    f"POST https://api.telegram.org/bot123456789:AA{S}/sendMessage failed",
    f"https://acme.webhook.office.com/webhookb2/{S}/IncomingWebhook/x/y",
    f"https://hooks.slack.com/services/T0/B0/{S}",
    f"Authorization: Token {S}",
    f"Authorization: AWS4-HMAC-SHA256 Credential=AKIAABCDEFGHIJKLMNOP/1, SignedHeaders=host, Signature={S}",
    f"Proxy-Authorization: Basic {S}",
    f"'Authorization': b'Bearer {S}'",
    f"sent Bearer {S}",
    f"Api-Key {S}",
    f"x-api-key: {S}",
    f"-H 'X-API-Key: {S}'",
    f"private key: 0x{S}",
    f"wss://stream.venue.example/ws?listenKey={S}",
    f"https://h/x?X-Amz-Credential=AKIAABCDEFGHIJKLMNOP&X-Amz-Security-Token={S}",
    f"secretKey={S}",
    f"secretKey: '{S}'",
    f'{{"secret_key": "{S}"}}',
    f"{{'API-Sign': '{S}'}}",
    f"{{'KC-API-SIGN': '{S}'}}",
    '{\\"api_key\\": \\"' + S + '\\"}',
    f"api_key%3D{S}%26x=1",
    f"access_token%22%3A%22{S}",
    f"pass={S}",
    f"hmac={S}",
    f"REDISCLI_AUTH={S}",
    f"aws_secret_access_key = {S}",
    f"AWS_SESSION_TOKEN={S}",
    f"encryption_key: {S}",
    f"--password {S}",
    f"Cookie: a={S}; b={S}",
    f"Set-Cookie: sid={S}; Path=/",
    f"sk-ant-api03-{S}-{S}",
    f"hf_{S}",
    f"SG.{S}.{S}",
    f"xprv9{'a' * 60}{S}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{S}\n{S}\n-----END RSA PRIVATE KEY-----",
    f"-----BEGIN PRIVATE KEY-----\\n{S}",
]


@pytest.mark.parametrize("words", LEAKS)
def test_a_secret_is_hidden_in_every_way_that_programs_write_one(words: str) -> None:
    for whole in (words, f"KeyError: {words}", f"{words} (after 3 tries)"):
        told = without_secrets(whole)
        assert "S3cr3t" not in told
        assert without_secrets(told) == told


@pytest.mark.parametrize(
    "words",
    [
        "swap token: ETH for token=USDC, 3 tokens left",
        '{"token": "SOL"}',
        "GET https://api.venue.example/v1/users/@me?symbol=BTC&side=buy",
        "https://ann@venue.example/",
        "the key point: passes through the session at 10:30",
        "monkey=1 turnkey: yes",
        "basic materials bearer bonds",
        "tx 0x5c504ed432cb51138bcf09aa5e8a410dd4a1e204ef84bfed1be16dfba1b22060",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_what_is_no_secret_stays(words: str) -> None:
    assert without_secrets(words) == words


@pytest.mark.parametrize("name", ["password", "db_password", "apiKey", "X-API-KEY", "clientSecret", "Authorization"])
def test_a_name_tells_that_its_value_is_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["token", "token_in", "key", "signature", "secretary", "compass", "passed", "tokens"])
def test_a_name_that_may_mean_something_else_tells_nothing(name: str) -> None:
    assert not is_secret_name(name)


@given(st.text(st.sampled_from("ab1 =:\"'\\&?/@.-_\nkeytoknpasswrd")))
def test_words_that_were_hidden_once_stay_as_they_are(words: str) -> None:
    told = without_secrets(words)
    assert len(told) <= len(words) * 4 + 8
    without_secrets(told)
