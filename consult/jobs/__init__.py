"""Background work: leased job rows written in the transaction of the act, the worker that runs them, the schedule."""
