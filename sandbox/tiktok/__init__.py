"""TikTok's Content Posting, Display and OAuth addresses, as the pretend world serves them."""
