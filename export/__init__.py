"""From weights to files that run anywhere.

    deployed    a trained network as it is deployed: features in, physical values out
    traced      as a graph of operations
    onnx_file   as an ONNX file
    libtorch    as an exported program of PyTorch, and what runs one
    torchscript as TorchScript, and what runs it
    litert      as a LiteRT file
    writers     what writes which kind of file
    precisions  smaller weights: half precision, 8 bits
    parity      how far a file is from the network that it was made of
    worth       what a file's mixes are worth on songs
    kept        how much of its teachers' gain a student keeps
    card        the page that comes with a file
    export      all of it, from weights to a file that was checked

PyTorch is imported here; this module imports nothing.
"""
