"""TikTok through its Content Posting and Display APIs: videos, photos and drafts for the inbox."""
