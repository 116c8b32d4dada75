"""Facebook Pages as seen from outside: posts, photos, videos, reels, stories and comments of a Page."""
