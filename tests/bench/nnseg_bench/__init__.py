"""nnseg-bench: nnseg against nnU-Net in Python, on the machine at hand. deploy/bench.sh runs it."""
