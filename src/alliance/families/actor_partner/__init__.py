"""Actor and partner: whose view follows whose."""
