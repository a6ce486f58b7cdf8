"""From drifts to trades that can be sent: destinations, whole shares, cash, and the verifier."""
