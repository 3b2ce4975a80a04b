"""Security keys of staff (WebAuthn, level 2), a second factor beside one-time codes."""
