"""The public verifiable log: salted commitments of every public act, written in the transaction of the act."""
