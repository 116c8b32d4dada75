"""Instagram through Meta's Graph API, by Facebook Login or by Instagram Login."""
