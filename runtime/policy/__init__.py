"""Learned policies as files that run without PyTorch.

    contract   what a policy's file takes, gives and says of itself
    backends   what runs a file: ONNX Runtime, LibTorch, LiteRT
    look       what a policy is shown of a song
    mixer      a policy's file as a mixer

A policy from a stranger is data; `.onnx` is read like this before anything runs it:

    wire       protocol buffers, field by field
    graph      an ONNX file's graph: known operators, no code, no further files
    extents    how large every tensor of it gets, before there is any; `extent_rules` by operator

This module imports nothing.
"""
