"""Mixing in real time: blocks of 64 to 1024 frames through strips, buses, master and limiter.

engine      Stream: blocks in, blocks out, settings from any thread
levels      what the settings refer to: measured beforehand, or followed
policy_loop asks a mixer about what has been heard, several times a second
live        files or a sound device through a stream
"""
