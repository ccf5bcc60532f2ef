"""What can be set, what it does to sound, and how that reads."""
