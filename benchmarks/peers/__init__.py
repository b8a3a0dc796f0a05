"""Other people's harvesters beside ours, each in an environment of its own: `make bench-harvest PEERS=1`."""
